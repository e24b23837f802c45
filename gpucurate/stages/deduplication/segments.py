"""From lines or paragraphs to keys on disk: the first pass of their deduplication."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gpucurate.dedup.key_file import KeyFileWriter, Layout
from gpucurate.dedup.segmentation import Segmentation
from gpucurate.frame.text import TextBuffers
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.stages.deduplication.keys import key_file_name
from gpucurate.stages.deduplication.records import unit_records
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask

SEEN, COMPARED = "segments seen", "segments compared"


class SegmentKeys(ProcessingStage[DocumentBatch, FileGroupTask]):
    """Takes the keys of the segments that are compared, and writes them to one file a unit.

    The records of the file are these segments; where other key files hold the length of a record, this
    one holds the record of the unit that the segment is of. All segments are counted under ``SEEN``, those in
    the file under ``COMPARED``.

    Args:
        segmentation: what is compared.
        text_field: the column of text.
    """

    name = "segment_keys"

    def __init__(self, segmentation: Segmentation, text_field: str = "text") -> None:
        self.segmentation = segmentation
        self.text_field = text_field
        self._writer: KeyFileWriter | None = None

    def inputs(self) -> StageIO:
        """The column of text."""
        return ["data"], [self.text_field]

    def setup(self, worker_metadata: object = None) -> None:
        """Load what is compiled, so that the first batch does not wait for it."""
        text = TextBuffers.from_strings(["a line of ordinary length\neine größere Zeile"])
        segments = self.segmentation.split(text)
        self.segmentation.compared_keys(text, segments, np.zeros(1, np.uint64))

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; a file that a failed unit left open is given up."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        super().bind(context)

    def process(self, task: DocumentBatch) -> None:
        """Append the keys of a batch."""
        text, records = task.text(self.text_field), unit_records(task, self.context)
        segments = self.segmentation.split(text)
        numbers = np.uint64(int(self.context.unit_id[:16], 16)) + records.astype(np.uint64)
        keys = self.segmentation.compared_keys(text, segments, numbers)
        of_records = np.repeat(records.astype(np.uint32), np.diff(segments.compared_firsts()))
        self._open().append(len(keys), np.arange(len(keys), dtype=np.uint32), keys, of_records)
        self.count(SEEN, len(segments))
        self.count(COMPARED, len(keys))

    def _open(self) -> KeyFileWriter:
        if self._writer is None:
            self._writer = KeyFileWriter(self.context.attempt_path(0), Layout(self.segmentation.bands))
        return self._writer

    def flush(self) -> Iterator[FileGroupTask]:
        """Close the unit's file."""
        writer = self._open()
        rows, size = writer.records, writer.close(self.context.sync)
        name = key_file_name(self.context.unit_id)
        self.context.outputs.append(OutputFile(name, str(writer.path), rows, size, ""))
        self._writer = None
        yield FileGroupTask("keys", [name], name)
