"""Making results final while the loop of the driver goes on: what comes in meanwhile is the next group."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.saved_units import SavedUnits
from gpucurate.disk.crash import reach
from gpucurate.disk.files import copy_file
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
        self._due_saves: list[tuple[SavedUnits, Finished]] = []
        self._group: list[Finished] = []
        self._under_way: Future[None] | None = None

    def add(self, unit: Unit, result: UnitResult) -> None:
        """Have a unit committed with the next group."""
        self._due.append((unit, result))

    def save(self, checkpoint: SavedUnits, unit: Unit, result: UnitResult) -> None:
        """Have what reached a checkpoint made final with the next group, before any unit is."""
        self._due_saves.append((checkpoint, (unit, result)))

    def go_on(self) -> list[Finished]:
        """Begin the next group, if the one before is through; the units that are final by now.

        Raises:
            StorageError: disk full, no permission, device error.
        """
        if self._phase is None:
            self._save(self._take_saves())
            final, self._due = self._due, []
            return final
        if self._under_way is not None and not self._under_way.done():
            return []
        final = self._end_group()
        self._group, self._due = self._due, []
        self._under_way = self._pool.submit(self._commit, self._phase, self._group, self._take_saves())
        return final

    def drain(self) -> list[Finished]:
        """Wait until all is final.

        Raises:
            StorageError: as above.
        """
        final = self._end_group()
        while self._due or self._due_saves:
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

    def _take_saves(self) -> list[tuple[SavedUnits, Finished]]:
        taken, self._due_saves = self._due_saves, []
        return taken

    @staticmethod
    def _save(saves: list[tuple[SavedUnits, Finished]]) -> None:
        for checkpoint, of_it in groupby(sorted(saves, key=_path), key=itemgetter(0)):
            checkpoint.save([finished for _, finished in of_it])

    @classmethod
    def _commit(cls, phase: Phase, group: list[Finished], saves: list[tuple[SavedUnits, Finished]]) -> None:
        cls._save(saves)  # first: what stages before it wrote has the name of an attempt only until then
        for unit, result in group:
            _bring(phase, unit, result)
        if group:
            reach("commit.before_group")
            phase.commit(group)
            reach("commit.after_group")
        phase.sync_if_due()


def _path(save: tuple[SavedUnits, Finished]) -> str:
    return str(save[0].path)


def _bring(phase: Phase, unit: Unit, result: UnitResult) -> None:
    """Copy what a checkpoint has of the unit beside its batches to where it would have been written."""
    for number, output in enumerate(result.saved):
        attempt = phase.folder.attempts / f"{unit.id}-saved-{number:04d}"
        copy_file(Path(output.attempt), attempt)
        result.outputs.insert(number, replace(output, attempt=str(attempt)))
    result.saved = []
