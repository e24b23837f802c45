"""Whom a segment without a worker may ask to go."""

from __future__ import annotations

from collections.abc import Iterable

from gpucurate.scheduling.eviction import Placed, workers_to_evict
from gpucurate.scheduling.state import State
from gpucurate.scheduling.stretch import Stretch


def victims_for(state: State, stretch: Stretch) -> tuple[int, ...]:
    """Workers that make room for one of a segment on some machine; none where that is not to be had.

    Spare workers go first. The last one of another segment only goes for a larger one, so that no two
    chase each other.
    """
    placed = [
        Placed(worker.number, other.index, other.lane.need, worker.place)
        for other in state.stretches
        for worker in other.live.values()
    ]
    least = {other.index: other.lane.gang or 1 for other in state.stretches}
    smaller = largest_first(state.stretches)
    smaller = smaller[smaller.index(stretch) + 1 :]
    for free in ([], [other for other in smaller if not other.lane.gang]):
        least |= {other.index: 0 for other in free}
        victims = workers_to_evict(stretch.lane.need, state.ledger.nodes.values(), placed, least)
        if victims:
            return victims
    return ()


def largest_first(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Those whose workers are hardest to place come first."""

    def size(stretch: Stretch) -> tuple[int, ...]:
        need = stretch.lane.need
        gpus = max(1, need.gpus_milli) if need.uses_gpu else 0
        return -gpus, -need.gpu_memory, -need.cpus_milli, -need.memory, stretch.index

    return sorted(stretches, key=size)
