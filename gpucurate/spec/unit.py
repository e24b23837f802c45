"""The unit of work: what is dispatched, committed and, after a failure, done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gpucurate.spec.books import Books
from gpucurate.spec.figures import Figures
from gpucurate.spec.pickling import quick
from gpucurate.spec.source import FileRange
from gpucurate.spec.statistics import StagePerfStats


@quick
@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a unit wrote.

    Attributes:
        name: final path relative to the output folder, ``/`` as separator.
        attempt: path of the attempt that the driver renames.
        rows: records in it.
        bytes: size.
        checksum: 128-bit document hash of the bytes, hexadecimal.
    """

    name: str
    attempt: str
    rows: int
    bytes: int
    checksum: str


@quick
@dataclass(frozen=True, slots=True)
class BytesTaken:
    """Bytes of a file that were read, and their fingerprint.

    Attributes:
        start: the first of them.
        count: how many.
        digest: of them, hexadecimal.
    """

    start: int
    count: int
    digest: str


@quick
@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: the tasks that enter the first stage together.

    Attributes:
        id: derived from what is read and from the plan that reads it, never from the position.
        index: position in the listing, which orders outputs and ids of documents.
        groups: one entry a task; each the file ranges that the task reads.
        est_bytes: estimated bytes of input, for admission.
        payload: a task given in memory by the caller, instead of ranges.
        begins: files of a checkpoint that are taken up instead of the input.
    """

    id: str
    index: int
    groups: tuple[tuple[FileRange, ...], ...]
    est_bytes: int
    payload: Any = None
    begins: tuple[OutputFile, ...] | None = None


@quick
@dataclass(frozen=True, slots=True)
class RangeTally:
    """What was met in one file range.

    Attributes:
        name: the file, as in the listing.
        ordinal: position of the range in its file.
        records: physical records, blank and rejected ones counted.
        rejected: rows rejected in it.
        taken: of what bytes; None where no fingerprint was taken.
    """

    name: str
    ordinal: int
    records: int
    rejected: int
    taken: BytesTaken | None = None


@dataclass(slots=True)
class UnitResult:
    """What a worker hands back for a unit: figures and names, never documents.

    Attributes:
        unit_id: the unit.
        outputs: files written, not yet at their final names.
        books: documents read, kept, dropped, rejected.
        stages: figures by stage, in order.
        tallies: one entry a file range read, in order.
        tasks: descriptors of the final tasks; the tasks themselves where the caller collects.
        input_bytes: bytes of the input that were read.
        handed_on: where the tasks lie that the next segment takes up, as the backend calls it; None
            from the last segment.
        figures: what the scheduler learns from.
        reduced: plain values of the unit's reduce stages, by name of the stage.
        saved: files of a checkpoint: those that a stage has just written, or those that a unit begins from.
    """

    unit_id: str
    outputs: list[OutputFile] = field(default_factory=list)
    books: Books = field(default_factory=Books)
    stages: list[StagePerfStats] = field(default_factory=list)
    tallies: list[RangeTally] = field(default_factory=list)
    tasks: list[Any] = field(default_factory=list)
    input_bytes: int = 0
    handed_on: Any = None
    figures: Figures = field(default_factory=Figures)
    reduced: dict[str, Any] = field(default_factory=dict)
    saved: list[OutputFile] = field(default_factory=list)


def merged(parts: Sequence[UnitResult]) -> UnitResult:
    """What all segments of a plan made of one unit, from what each did, in order."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return first
    whole = UnitResult(first.unit_id, tasks=last.tasks)
    for part in parts:
        whole.outputs += part.outputs
        whole.books.add(part.books)
        whole.stages += part.stages
        whole.tallies += part.tallies
        whole.input_bytes += part.input_bytes
        whole.reduced |= part.reduced
    return whole
