"""What a stage of gpucurate's own notes while a unit runs: reads, rejects, outputs, facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpucurate.spec.books import Books
from gpucurate.spec.reject import Reject
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import OutputFile, RangeTally


@dataclass(slots=True)
class UnitContext:
    """The unit that is running, and what was noted about it so far.

    Attributes:
        unit_id: the unit.
        unit_index: its position in the listing.
        folder: where attempts are written; None where the run writes nothing.
        prefix: unique to this attempt; names of attempts begin with it.
    """

    unit_id: str = ""
    unit_index: int = 0
    folder: Path | None = None
    prefix: str = ""
    books: Books = field(default_factory=Books)
    outputs: list[OutputFile] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    rejects: list[tuple[FileRange, Reject]] = field(default_factory=list)
    input_bytes: int = 0
    _tallies: dict[tuple[str, int], RangeTally] = field(default_factory=dict)

    def attempt_path(self, number: int) -> Path:
        """Where the unit's ``number``-th file goes until the driver renames it.

        Raises:
            RuntimeError: the run has no folder to write to.
        """
        if self.folder is None:
            raise RuntimeError("this run writes nothing: it has no run folder")
        return self.folder / f"{self.prefix}-{number:04d}"

    def open_range(self, source: FileRange) -> None:
        """Note that ``source`` is being read, so that it is tallied though nothing is in it."""
        key = (source.file.name, source.ordinal)
        self._tallies.setdefault(key, RangeTally(*key, 0, 0))

    def tally(self, source: FileRange, *, records: int, blank: int, rejects: Iterable[Reject]) -> None:
        """Note a piece of ``source`` that was read: physical records, blank ones, rejects."""
        found = [(source, reject) for reject in rejects]
        key = (source.file.name, source.ordinal)
        before = self._tallies.get(key, RangeTally(*key, 0, 0))
        self._tallies[key] = RangeTally(*key, before.records + records, before.rejected + len(found))
        rows = sum(1 for _, reject in found if reject.line is not None)
        self.books.read += records - blank + len(found) - rows
        self.books.blank += blank
        self.books.rejected.update(reject.reason for _, reject in found)
        self.rejects.extend(found)

    @property
    def records(self) -> int:
        """Physical records met so far in the unit."""
        return sum(tally.records for tally in self._tallies.values())

    def range_position(self, source: FileRange) -> int:
        """Position of a range among those that the unit has opened."""
        return list(self._tallies).index((source.file.name, source.ordinal))

    def records_before(self, source: FileRange) -> int:
        """Physical records of the unit before ``source``; all earlier ranges have been read."""
        return sum(tally.records for tally in self.tallies[: self.range_position(source)])

    @property
    def tallies(self) -> list[RangeTally]:
        """One entry a file range, in the order in which they were first read."""
        return list(self._tallies.values())
