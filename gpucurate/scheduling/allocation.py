"""Workers shared out among segments so that the slowest one is as fast as can be (max-min)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heapreplace

from gpucurate.scheduling.lane_view import LaneView
from gpucurate.scheduling.room import Room
from gpucurate.spec.cluster import Node

HEADROOM = 1.5
"""A segment gets no more than so many times what the slowest one can use: (1 + 20%) / (1 - 20%),
so that with speeds that are 20% off either way none of the others becomes the slowest."""


class Allocation:
    """Numbers of workers that fit a cluster together, grown from nothing.

    Args:
        lanes: the segments.
        nodes: the cluster.
        workers: at most so many of all segments together; None for as many as fit.

    Attributes:
        counts: workers by segment.
        shared: segments that take part: those with something left to do, or, where not even the least
            of each fits, those whose turn it is.
    """

    def __init__(self, lanes: Sequence[LaneView], nodes: Sequence[Node], workers: int | None) -> None:
        self._lanes, self._nodes, self._workers = lanes, nodes, workers
        active = [index for index, lane in enumerate(lanes) if lane.remaining > 0]
        if self._reserve(sorted(active, key=self._size, reverse=True)) < len(active):
            self._reserve(sorted(active, key=self._turn))
        self.shared = [index for index in active if self.counts[index]]

    def _reserve(self, order: Iterable[int]) -> int:
        """The least of each segment, in order, as far as it fits; how many segments have it."""
        self._room = Room(self._nodes, [lane.need for lane in self._lanes], self._workers)
        self.counts = [0] * len(self._lanes)
        return sum(self._add(index) for index in order)

    def _size(self, index: int) -> tuple[int, ...]:
        lane = self._lanes[index]
        count, need = lane.gang or 1, lane.need
        gpus = max(need.gpus_milli, 1) if need.uses_gpu else 0
        return gpus * count, need.gpu_memory * count, need.cpus_milli * count, need.memory * count

    def _turn(self, index: int) -> tuple[bool, bool, int]:
        """Who works goes on until it is blocked or has nothing; then the deepest that can work."""
        lane = self._lanes[index]
        return not (lane.can_work and lane.workers), not lane.can_work, -index

    def _add(self, index: int) -> bool:
        gang = self._lanes[index].gang
        if (gang and self.counts[index]) or not self._room.take(index, gang or 1):
            return False
        self.counts[index] += gang or 1
        return True

    def fill(
        self,
        segments: Iterable[int],
        caps: Sequence[int],
        work: Sequence[float],
        ceiling: float | None = None,
    ) -> None:
        """One worker more for the segment that would be done last, again and again (water filling).

        Args:
            segments: that may grow.
            caps: how far, by segment.
            work: seconds of one worker for all that is left, by segment.
            ceiling: workers per second of work beyond which none grows; a trusted segment that cannot
                grow sets the pace and lowers it: more than :data:`HEADROOM` times its pace is of no
                use. None lets all grow as far as they can.
        """
        heap = [(self.counts[index] / work[index], index) for index in segments if self.counts[index]]
        heapify(heap)
        while heap and (ceiling is None or heap[0][0] < ceiling):
            index = heap[0][1]
            if self.counts[index] < caps[index] and self._add(index):
                heapreplace(heap, (self.counts[index] / work[index], index))
                continue
            heappop(heap)
            if ceiling is not None:
                ceiling = min(ceiling, self._useful(index, work))

    def _useful(self, index: int, work: Sequence[float]) -> float:
        """Workers per second of work that are of use to others, as this one does not grow."""
        lane = self._lanes[index]
        if not lane.trusted or self.counts[index] >= lane.remaining:
            return float("inf")
        return HEADROOM * self.counts[index] / work[index]

    def fill_ideally(self, work: Sequence[float]) -> None:
        """Segments of the GPU as large as can be, then those of the CPU as far as it is of use."""
        caps = [lane.cap for lane in self._lanes]
        gpu = [index for index in self.shared if self._lanes[index].is_gpu]
        self.fill(gpu, caps, work)
        ceiling = min((self._useful(index, work) for index in gpu), default=float("inf"))
        self.fill([index for index in self.shared if index not in gpu], caps, work, ceiling)
