"""Where the workers of a plan are, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpucurate.spec.cluster import Node, Place

EdgeKind = Literal["same-process", "same-gpu", "same-node", "network"]
"""How far a batch goes: by reference, or through memory of the host that the worker on the same GPU reads, or
any worker of the machine, or one of another machine."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What one stage hands to the next.

    Attributes:
        stage: the one that is given, by its index in the pipeline.
        kind: how far it goes; the farthest, where it is not the same for all.
        remote: share of it that leaves its machine though each machine first takes what it has made itself.
        waits: whether it lies on disk until a phase ends, since both sides do not fit side by side.
    """

    stage: int
    kind: EdgeKind
    remote: float = 0.0
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A plan on machines, each segment at full size.

    Attributes:
        nodes: the machines.
        places: of each segment's workers.
        phases: indices of segments that live side by side; one phase if all do.
        edges: between each stage and the one before it.
    """

    nodes: tuple[Node, ...]
    places: tuple[tuple[Place, ...], ...]
    phases: tuple[tuple[int, ...], ...]
    edges: tuple[Edge, ...]

    def gpus(self, segment: int) -> int:
        """GPUs that workers of a segment are on."""
        return len({(place.node, gpu) for place in self.places[segment] for gpu in place.gpu_ids})

    def machines(self, segment: int) -> int:
        """Machines that workers of a segment are on."""
        return len({place.node for place in self.places[segment]})
