"""What a worker is told of itself and of those it works with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The machine that ``setup_on_node`` is called on.

    Attributes:
        node_id: as the backend calls it.
    """

    node_id: str = "local"


@dataclass(frozen=True, slots=True)
class WorkerMetadata:
    """What ``setup`` is told.

    Attributes:
        worker_id: unique in the run; another one after a restart.
        node_id: the machine, as the backend calls it.
        gpus: names of the GPUs that the worker sees.
        rank: position in its gang, 0 for a worker that is on its own.
        world_size: workers in its gang.
        address: ``host:port`` that rank 0 of a gang may listen on, for ``torch.distributed`` and its like;
            empty for a worker that is on its own.
    """

    worker_id: str = ""
    node_id: str = "local"
    gpus: tuple[str, ...] = ()
    rank: int = 0
    world_size: int = 1
    address: str = ""
