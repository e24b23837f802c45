"""What a stage of gpucurate's own notes while a unit runs: reads, rejects, outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gpucurate.spec.books import Books
from gpucurate.spec.reject import Reject
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import BytesTaken, OutputFile, RangeTally
from gpucurate.tasks.finished import Sync, sync_now
from gpucurate.tasks.origin import Origin


@dataclass(slots=True)
class UnitContext:
    """The unit that is running, and what was noted about it so far.

    Attributes:
        unit_id: the unit.
        unit_index: its position in the listing.
        folder: where attempts are written; None where the run writes nothing.
        prefix: unique to this attempt; names of attempts begin with it.
        write_reject: keeps a rejected row on disk, with the name of its file and the ordinal of its
            range; None where the run writes nothing.
        records: physical records met so far in the unit.
        sync: takes over what is written to its end, and has it on disk before the unit counts.
        reduced: plain values of reduce stages so far, by name of the stage.
        saved: files of a checkpoint that were written.
    """

    unit_id: str = ""
    unit_index: int = 0
    folder: Path | None = None
    prefix: str = ""
    books: Books = field(default_factory=Books)
    outputs: list[OutputFile] = field(default_factory=list)
    write_reject: Callable[[str, int, Reject], None] | None = None
    input_bytes: int = 0
    records: int = 0
    sync: Sync = sync_now
    reduced: dict[str, Any] = field(default_factory=dict)
    saved: list[OutputFile] = field(default_factory=list)
    _written: int = 0
    _tallies: dict[tuple[str, int], RangeTally] = field(default_factory=dict)
    _places: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)

    def attempt_path(self, number: int) -> Path:
        """Where the unit's ``number``-th file goes until the driver renames it.

        Raises:
            RuntimeError: the run has no folder to write to.
        """
        if self.folder is None:
            raise RuntimeError("this run writes nothing: it has no run folder")
        return self.folder / f"{self.prefix}-{number:04d}"

    def new_attempt_path(self) -> Path:
        """Where the next file goes of those that the unit's writers share.

        Raises:
            RuntimeError: the run has no folder to write to.
        """
        path = self.attempt_path(self._written)
        self._written += 1
        return path

    def final_path(self, name: str) -> Path:
        """Where an output of the run folder will be, once the unit is committed.

        Args:
            name: begins with ``_gpucurate/``.

        Raises:
            RuntimeError: the run has no folder to write to.
        """
        attempts = self.attempt_path(0).parent  # <run folder>/attempts/<epoch>
        return attempts.parents[1] / name.removeprefix("_gpucurate/")

    def open_range(self, source: FileRange) -> None:
        """Note that ``source`` is being read, so that it is tallied though nothing is in it."""
        self._open(source)

    def _open(self, source: FileRange) -> tuple[str, int]:
        key = (source.file.name, source.ordinal)
        if key not in self._tallies:
            self._places[key] = len(self._tallies), self.records
            self._tallies[key] = RangeTally(*key, 0, 0)
        return key

    def tally(self, source: FileRange, *, records: int, blank: int, rejects: Iterable[Reject]) -> None:
        """Note a piece of ``source`` that was read: physical records, blank ones, rejects."""
        found = list(rejects)
        key = self._open(source)
        before = self._tallies[key]
        self.records += records
        self._tallies[key] = replace(
            before, records=before.records + records, rejected=before.rejected + len(found)
        )
        rows = sum(1 for reject in found if reject.line is not None)
        self.books.read += records - blank + len(found) - rows
        self.books.blank += blank
        self.books.rejected.update(reject.reason for reject in found)
        if self.write_reject is not None:
            for reject in found:
                self.write_reject(source.file.name, source.ordinal, reject)

    def note_bytes(self, source: FileRange, taken: BytesTaken) -> None:
        """Note of which bytes ``source`` was read."""
        key = self._open(source)
        self._tallies[key] = replace(self._tallies[key], taken=taken)

    def placed(self, origin: Origin) -> Origin:
        """The origin with the place of its range in the unit, for a batch that another worker takes up."""
        source = origin.source
        key = None if source is None else (source.file.name, source.ordinal)
        return origin if key not in self._places else replace(origin, place=self._places[key])

    def meet(self, origin: Origin) -> None:
        """Note where in the unit the range of a batch stands that another worker read."""
        if origin.source is not None and origin.place is not None:
            self._places[origin.source.file.name, origin.source.ordinal] = origin.place

    def reject(self, origin: Origin, reject: Reject) -> None:
        """Take one document out that was read and that no stage can do."""
        self.books.rejected[reject.reason] += 1
        if self.write_reject is not None:
            self.write_reject(origin.name, origin.ordinal, reject)

    def range_position(self, source: FileRange) -> int:
        """Position of a range among those that the unit has opened."""
        return self._places[source.file.name, source.ordinal][0]

    def records_before(self, source: FileRange) -> int:
        """Physical records of the unit before ``source``: ranges are read one after the other."""
        return self._places[source.file.name, source.ordinal][1]

    @property
    def tallies(self) -> list[RangeTally]:
        """One entry a file range, in the order in which they were first read."""
        return list(self._tallies.values())
