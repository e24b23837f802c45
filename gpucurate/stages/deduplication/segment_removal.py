"""From marks to documents without their duplicated segments: the last pass."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.dedup.cut_file import CutFileWriter
from gpucurate.dedup.segment_marks import SegmentMarks
from gpucurate.dedup.segment_places import SegmentPlaces
from gpucurate.dedup.segmentation import Segmentation
from gpucurate.frame.text import TextBuffers
from gpucurate.io.jsonl.cut import cut_lines
from gpucurate.io.piece import LinesOriginal, TableOriginal
from gpucurate.ops.segments import Segments, Spans, character_offsets, cut_spans, remove_spans, split
from gpucurate.spec.errors import StageError
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch

CUT, BYTES, CHANGED, EMPTIED = "segments cut", "bytes cut", "documents changed", "documents emptied"
CUTS_FIELD = "_gpucurate_cuts"

_CUT_FILE = 2**31  # number of the attempt, above those of the writer


class _SegmentCutting(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Finds what goes of each document, in the order in which the first pass numbered segments.

    What goes is counted under ``CUT``, ``BYTES``, ``CHANGED`` and ``EMPTIED``.

    Args:
        segmentation: as in the first pass.
        marks: folder of the marks.
        text_field: the column of text.
        list_cuts: whether to write the cuts artefact.
    """

    not_in_plan: ClassVar[tuple[str, ...]] = ("marks",)

    def __init__(
        self, segmentation: Segmentation, marks: Path, text_field: str = "text", *, list_cuts: bool = False
    ) -> None:
        self.segmentation = segmentation
        self.marks = marks
        self.text_field = text_field
        self.list_cuts = list_cuts
        self._marks, self._places = SegmentMarks(marks), SegmentPlaces(marks)
        self._next = self._stop = 0
        self._file: CutFileWriter | None = None

    def inputs(self) -> StageIO:
        """The column of text."""
        return ["data"], [self.text_field]

    def setup(self, worker_metadata: object = None) -> None:
        """Load what is compiled, so that the first batch does not wait for it."""
        text = TextBuffers.from_strings(["one\ntwo"])
        line = np.array([*b'{"text": "one\\ntwo"}'], np.uint8)
        lines = LinesOriginal(line, np.array([0]), np.array([len(line)]))
        spans = cut_spans(text, split(text, "line"), np.ones(2, np.bool_))
        cut_lines(lines, "text", text, spans)

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; a file that a failed unit left open is given up."""
        if self._file is not None:
            self._file.abandon()
            self._file = None
        if context is not None:
            self._next, self._stop = self._marks.unit(context.unit_index)
        super().bind(context)

    def spans(self, text: TextBuffers) -> Spans:
        """What goes of the next documents."""
        segments = self.segmentation.split(text)
        first, count = self._next, len(segments.compared)
        if first + count > self._stop:
            raise self._out_of_step()
        self._next += count
        cut = self._marks.cut(first, count)
        spans = cut_spans(text, segments, cut)
        self.count(CUT, int(np.count_nonzero(cut)))
        self.count(BYTES, spans.nbytes)
        self.count(CHANGED, int(np.count_nonzero(spans.counts)))
        self.count(EMPTIED, int(np.count_nonzero(spans.emptied)))
        if self.list_cuts and cut.any():
            self._list(text, segments, cut, first)
        return spans

    def flush(self) -> Iterable[DocumentBatch]:
        """Close the list of cuts; hands on nothing."""
        if self._next != self._stop:
            raise self._out_of_step()
        if self._file is not None:
            name = f"_gpucurate/cuts/part-{self.context.unit_index:06d}.parquet"
            file, size = self._file, self._file.close(self.context.sync)
            self.context.outputs.append(OutputFile(name, str(file.path), file.rows, size, ""))
            self._file = None
        return ()

    def _out_of_step(self) -> StageError:
        return StageError(
            f"stage {self.name!r} met other segments than the first pass did in unit "
            f"{self.context.unit_index}: the input changed in between, or another stage changes its text",
            self.name,
        )

    def _list(self, text: TextBuffers, segments: Segments, cut: npt.NDArray[np.bool_], first: int) -> None:
        gone = np.flatnonzero(cut)
        places = segments.compared[gone]
        firsts = np.concatenate(([0], np.cumsum(cut)))[segments.compared_firsts()]
        starts = character_offsets(text, segments.starts[places], firsts)
        stops = character_offsets(text, segments.stops[places], firsts)
        labels = self._marks.labels(first, len(cut))[gone]
        paths, rows = self._places.of(first + gone)
        first_paths, first_rows = self._places.of(labels)
        if self._file is None:
            self._file = CutFileWriter(self.context.attempt_path(_CUT_FILE))
        self._file.append([paths, rows, pa.array(starts), pa.array(stops), first_paths, first_rows])


class SegmentRemoval(_SegmentCutting):
    """Cuts the segments that are marked out of the text of each document.

    Args:
        segmentation: as in the first pass.
        marks: folder of the marks.
        text_field: the column of text.
        list_cuts: whether to write the cuts artefact.
        drop_empty: drop documents of which nothing remains but white space.
    """

    name = "segment_removal"

    def __init__(
        self,
        segmentation: Segmentation,
        marks: Path,
        text_field: str = "text",
        *,
        list_cuts: bool = False,
        drop_empty: bool = True,
    ) -> None:
        super().__init__(segmentation, marks, text_field, list_cuts=list_cuts)
        self.drop_empty = drop_empty

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents without what goes; as they were where nothing does."""
        text = task.text(self.text_field)
        spans = self.spans(text)
        if not len(spans.starts):
            return task
        column = remove_spans(text, spans).to_arrow().cast(_text_type(task, self.text_field))
        rest = task.assign({self.text_field: column})
        if isinstance(task._original, LinesOriginal):
            rest = rest.with_original(cut_lines(task._original, self.text_field, text, spans))
        return rest.select(~spans.emptied) if self.drop_empty and spans.emptied.any() else rest


class SegmentAnnotation(_SegmentCutting):
    """Adds to each document what would go of it: ``_gpucurate_cuts``.

    It holds pairs ``[start, stop]`` of characters, in order: the text without these parts is
    what :class:`SegmentRemoval` leaves.
    """

    name = "segment_annotation"

    def outputs(self) -> StageIO:
        """The column."""
        return ["data"], [CUTS_FIELD]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents with the column."""
        text = task.text(self.text_field)
        return task.assign({CUTS_FIELD: span_pairs(text, self.spans(text))})


def span_pairs(text: TextBuffers, spans: Spans) -> pa.Array:
    """Spans as pairs of characters: list of lists of int64, one entry a document."""
    ends = [character_offsets(text, places, spans.firsts) for places in (spans.starts, spans.stops)]
    twos = np.arange(len(ends[0]) + 1, dtype=np.int32) * np.int32(2)
    pairs = pa.ListArray.from_arrays(pa.array(twos), pa.array(np.stack(ends, axis=1).ravel()))
    return pa.ListArray.from_arrays(pa.array(spans.firsts.astype(np.int32)), pairs)


def _text_type(task: DocumentBatch, name: str) -> pa.DataType:
    """The type of the column where it is written: of Parquet that is copied, the file's."""
    original = task._original
    table = original.table if isinstance(original, TableOriginal) else task.to_pyarrow()
    return table.schema.field(name).type
