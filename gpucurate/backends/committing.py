"""Making results final while the loop of the driver goes on: what comes in meanwhile is the next group."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from gpucurate.checkpoint.phase import Phase
from gpucurate.disk.crash import reach
from gpucurate.spec.unit import Unit, UnitResult

Finished = tuple[Unit, UnitResult]


class Committer:
    """Commits in one thread, one group after the other: a group is all that came in during the last one.

    So groups grow with the pace of the units, and where there are few, none waits.

    Args:
        phase: where results become final; None for a run that leaves nothing on disk.
    """

    def __init__(self, phase: Phase | None) -> None:
        self._phase = phase
        self._pool = ThreadPoolExecutor(1, "commit")
        self._due: list[Finished] = []
        self._group: list[Finished] = []
        self._under_way: Future[None] | None = None

    def add(self, unit: Unit, result: UnitResult) -> None:
        """Have a unit committed with the next group."""
        self._due.append((unit, result))

    def go_on(self) -> list[Finished]:
        """Begin the next group, if the one before is through; the units that are final by now.

        Raises:
            StorageError: disk full, no permission, device error.
        """
        if self._phase is None:
            final, self._due = self._due, []
            return final
        if self._under_way is not None and not self._under_way.done():
            return []
        final = self._end_group()
        self._group, self._due = self._due, []
        self._under_way = self._pool.submit(self._commit, self._phase, self._group)
        return final

    def drain(self) -> list[Finished]:
        """Wait until all is final.

        Raises:
            StorageError: as above.
        """
        final = self._end_group()
        while self._due:
            final += self.go_on()
            final += self._end_group()
        return final

    def close(self) -> None:
        """Wait for the group that is under way, whatever comes of it."""
        self._pool.shutdown()

    def _end_group(self) -> list[Finished]:
        if self._under_way is not None:
            self._under_way.result()
        final, self._group, self._under_way = self._group, [], None
        return final

    @staticmethod
    def _commit(phase: Phase, group: list[Finished]) -> None:
        if group:
            reach("commit.before_group")
            phase.commit(group)
            reach("commit.after_group")
        phase.sync_if_due()
