"""Everything that a simulation starts from: a plain value, so that a bad one can be printed and kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpucurate.backends.sim.faults import Faults
from gpucurate.backends.sim.model import LaneModel, Links
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import MILLI, Gpu, Node
from gpucurate.spec.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run to simulate.

    Attributes:
        lanes: segments, as the scheduler knows them.
        models: what they take in truth.
        units: (id, bytes) in order; the bytes are the input of the first segment.
        nodes: machines at the start.
        policy: limits of the run.
        faults: what goes wrong.
        links: how fast things go from worker to worker.
        stop_at: second at which a signal asks the run to end; None for never.
        seed: of everything that is drawn.
    """

    lanes: tuple[Lane, ...]
    models: tuple[LaneModel, ...]
    units: tuple[tuple[str, int], ...]
    nodes: tuple[Node, ...]
    policy: Policy
    faults: Faults = field(default_factory=Faults)
    links: Links = field(default_factory=Links)
    stop_at: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.lanes) != len(self.models):
            raise ConfigurationError(
                f"{len(self.lanes)} lanes and {len(self.models)} models: each lane needs one model"
            )


def uniform_nodes(
    count: int, *, cpus: int, memory: int, gpus: int = 0, gpu_memory: int = 0, scratch: int = 0
) -> tuple[Node, ...]:
    """So many equal machines, memory in bytes."""
    devices = tuple(Gpu(str(gpu), gpu_memory) for gpu in range(gpus))
    return tuple(Node(f"node-{index}", cpus * MILLI, memory, devices, scratch) for index in range(count))
