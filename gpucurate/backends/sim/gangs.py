"""Workers that set up together: each waits in its setup for the others."""

from __future__ import annotations

from gpucurate.backends.sim.worker import SimWorker, State


class Gangs:
    """Which workers wait for which.

    Args:
        sizes: members of a gang by segment; 0 where workers are on their own.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self._sizes = sizes
        self._members: dict[tuple[int, int], list[SimWorker]] = {}
        self._arrived: dict[tuple[int, int], list[SimWorker]] = {}

    def join(self, worker: SimWorker) -> None:
        """A member starts."""
        if worker.gang is not None:
            self._members.setdefault((worker.segment, worker.gang), []).append(worker)

    def arrive(self, worker: SimWorker) -> list[SimWorker]:
        """Workers whose setup ends now: itself, or the whole gang with its last member."""
        if worker.gang is None:
            return [worker]
        key = (worker.segment, worker.gang)
        arrived = self._arrived.setdefault(key, [])
        arrived.append(worker)
        return arrived if len(arrived) == self._sizes[worker.segment] and not self.broken(worker) else []

    def broken(self, worker: SimWorker) -> bool:
        """Whether one that it needs is gone."""
        if worker.gang is None:
            return False
        return any(peer.state is State.GONE for peer in self._members[worker.segment, worker.gang])
