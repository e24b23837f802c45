"""From text to keys on disk: the first pass of every deduplication."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import LENGTH_CEILING, KeyFileWriter, Layout
from gpucurate.dedup.sketch import Sketch
from gpucurate.ops.char_length import char_length
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask

KEY_FOLDER = "_gpucurate/scratch/keys"


def key_file_name(unit_index: int) -> str:
    """Name of a unit's key file, relative to the output."""
    return f"{KEY_FOLDER}/{unit_index:06d}.keys"


class DocumentKeys(ProcessingStage[DocumentBatch, FileGroupTask]):
    """Takes the keys of each document and writes them to one file a unit.

    Args:
        sketch: what is taken of the text.
        text_field: the column of text.
    """

    name = "document_keys"

    def __init__(self, sketch: Sketch, text_field: str = "text") -> None:
        self.sketch = sketch
        self.text_field = text_field
        self._writer: KeyFileWriter | None = None

    def inputs(self) -> StageIO:
        """The column of text."""
        return ["data"], [self.text_field]

    def setup(self, worker_metadata: object = None) -> None:
        """Load what is compiled, so that the first batch does not wait for it."""
        from gpucurate.frame.text import TextBuffers

        self.sketch.keys(TextBuffers.from_strings(["a text of ordinary length", "ein größerer Text"]))

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; a file that a failed unit left open is given up."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        super().bind(context)

    def process(self, task: DocumentBatch) -> None:
        """Append the keys of a batch."""
        if not task.num_items:
            return
        text = task.text(self.text_field)
        keys, has_keys = self.sketch.keys(text)
        self._append(self._unit_records(task), keys, has_keys, char_length(text))

    def _unit_records(self, task: DocumentBatch) -> npt.NDArray[np.int64]:
        """Record of each row, counted from the start of the unit."""
        if task.records is None or task._origin is None or task._origin.source is None:
            raise ValueError(
                f"batch {task.task_id!r} was not made by a reader: its documents have no place in a file"
            )
        return task.records + self.context.records_before(task._origin.source)

    def _append(
        self,
        records: npt.NDArray[np.int64],
        keys: npt.NDArray[np.uint64],
        has_keys: npt.NDArray[np.bool_],
        lengths: npt.NDArray[np.int64],
    ) -> None:
        writer = self._open()
        local = records - writer.records
        all_lengths = np.zeros(int(local[-1]) + 1, np.uint32)
        all_lengths[local] = np.minimum(lengths, LENGTH_CEILING) + 1
        writer.append(len(all_lengths), local[has_keys].astype(np.uint32), keys[has_keys], all_lengths)

    def _open(self) -> KeyFileWriter:
        if self._writer is None:
            self._writer = KeyFileWriter(self.context.attempt_path(0), Layout(self.sketch.bands))
        return self._writer

    def flush(self) -> Iterator[FileGroupTask]:
        """Close the unit's file; records after the last document count too."""
        writer = self._open()
        rest = self.context.records - writer.records
        if rest:
            none = np.zeros(0, np.uint32)
            writer.append(rest, none, np.zeros((0, self.sketch.bands), np.uint64), np.zeros(rest, np.uint32))
        rows, size = writer.records, writer.close()
        name = key_file_name(self.context.unit_index)
        self.context.outputs.append(OutputFile(name, str(writer.path), rows, size, ""))
        self._writer = None
        yield FileGroupTask("keys", [name], name)
