"""The texts of documents that share a key, to disk: the pass that verification asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.candidates import read_candidates
from gpucurate.dedup.sketch import MinHashSketch
from gpucurate.dedup.text_store import TextFileWriter
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.stages.deduplication.records import unit_records
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask

TEXT_FOLDER = "_gpucurate/scratch/texts"


def text_file_name(unit_index: int) -> str:
    """Name of a unit's file of texts, relative to the output."""
    return f"{TEXT_FOLDER}/{unit_index:06d}.texts"


class CandidateTexts(ProcessingStage[DocumentBatch, FileGroupTask]):
    """Writes the texts of candidates, as shingles are taken of them, to one file a unit.

    Args:
        sketch: what prepares the text.
        text_field: the column of text.
        candidates: folder of the bits that say which documents are wanted.
    """

    name = "candidate_texts"
    not_in_plan: ClassVar[tuple[str, ...]] = ("candidates",)

    def __init__(self, sketch: MinHashSketch, text_field: str, candidates: Path) -> None:
        self.sketch = sketch
        self.text_field = text_field
        self.candidates = candidates
        self._writer: TextFileWriter | None = None
        self._wanted: npt.NDArray[np.bool_] | None = None

    def inputs(self) -> StageIO:
        """The column of text."""
        return ["data"], [self.text_field]

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; a file that a failed unit left open is given up."""
        if self._writer is not None:
            self._writer.abandon()
        self._writer = self._wanted = None
        super().bind(context)

    def process(self, task: DocumentBatch) -> None:
        """Append the texts of a batch."""
        if not task.num_items:
            return
        if self._wanted is None:
            self._wanted = read_candidates(self.candidates, self.context.unit_index)
        records = unit_records(task, self.context)
        wanted = self._wanted[records]
        text = task.select(wanted).text(self.text_field)
        self._open().append(records[wanted], self.sketch.prepared(text))

    def _open(self) -> TextFileWriter:
        if self._writer is None:
            self._writer = TextFileWriter(self.context.attempt_path(0))
        return self._writer

    def flush(self) -> Iterator[FileGroupTask]:
        """Close the unit's file."""
        writer = self._open()
        size, name = writer.close(self.context.sync), text_file_name(self.context.unit_index)
        self.context.outputs.append(OutputFile(name, str(writer.path), writer.documents, size, ""))
        self._writer = None
        yield FileGroupTask("texts", [name], name)
