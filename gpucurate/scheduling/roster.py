"""The workers of a segment that can be given units, by how many they have."""

from __future__ import annotations

from collections.abc import Callable

from gpucurate.scheduling.worker import Worker


class Roster:
    """Finds the least loaded worker without looking at the others.

    Workers of one load are taken in the order in which they came to it.
    """

    def __init__(self) -> None:
        self._by_load: list[dict[int, Worker]] = [{}]
        self._load: dict[int, int] = {}
        self._from = 0  # below it there is nobody

    def put(self, worker: Worker) -> None:
        """Add a worker, or note that its load has changed."""
        self.remove(worker)
        load = worker.load
        while len(self._by_load) <= load:
            self._by_load.append({})
        self._by_load[load][worker.number] = worker
        self._load[worker.number] = load
        self._from = min(self._from, load)

    def remove(self, worker: Worker) -> None:
        """Take a worker out, if it is in."""
        load = self._load.pop(worker.number, None)
        if load is not None:
            del self._by_load[load][worker.number]

    def least(self, below: int, fits: Callable[[Worker], bool]) -> Worker | None:
        """The least loaded worker with less than ``below`` units that fits."""
        while self._from < len(self._by_load) and not self._by_load[self._from]:
            self._from += 1
        for load in range(self._from, min(below, len(self._by_load))):
            for worker in self._by_load[load].values():
                if fits(worker):
                    return worker
        return None

    def idle(self) -> list[Worker]:
        """Those that have nothing."""
        return list(self._by_load[0].values())

    def __len__(self) -> int:
        return len(self._load)
