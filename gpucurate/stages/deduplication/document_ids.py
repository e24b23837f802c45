"""The ids that documents bring, by their hashes, to disk: so that it can be seen which come twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.column_values import text_buffers_of
from gpucurate.dedup.key_file import KeyFileWriter, Layout
from gpucurate.ops.document_hash import document_hash
from gpucurate.spec.unit import OutputFile, UnitResult
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.stages.deduplication.column_path import ColumnPath
from gpucurate.stages.deduplication.records import unit_records
from gpucurate.tasks.document import DocumentBatch

IDS_FOLDER = "_gpucurate/scratch/ids"

WITHOUT_OWN_ID = "documents whose id cannot be compared, without a value in "
"""What the count of documents begins with that bring no id; the column follows."""

_LAYOUT = Layout(bands=2)
_IDS_FILE = 2**31 + 1  # number of the attempt, above those of keys, outputs and cuts


def ids_file_of(result: UnitResult) -> OutputFile:
    """The file of ids among what a unit wrote, as its record tells."""
    return next(output for output in result.outputs if output.name.startswith(f"{IDS_FOLDER}/"))


class DocumentIds(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Notes the 128-bit hash of each document's id in one file a unit, and hands the documents on.

    Ids are compared as text (:func:`~gpucurate.dedup.column_values.texts_of`), so that 7 and "7" are one; a
    null is none. The file is a key file of two words a document, and takes 24 bytes of each.

    Args:
        field: where the id stands.
    """

    name = "document_ids"
    follows_device = True

    def __init__(self, field: ColumnPath) -> None:
        self.field = field
        self._writer: KeyFileWriter | None = None

    def inputs(self) -> StageIO:
        """The field of ids."""
        return ["data"], [self.field.field]

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; a file that a failed unit left open is given up."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        super().bind(context)

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """Append the ids of a batch."""
        if not task.num_items:
            return task
        ids = text_buffers_of(self.field.of(task.data))
        hashes = document_hash(ids)
        local = unit_records(task, self.context) - self._open().records
        if ids.valid is not None:
            self.count(f"{WITHOUT_OWN_ID}{self.field}", int(np.count_nonzero(~ids.valid)))
            hashes, local = hashes[ids.valid], local[ids.valid]
        self._append(int(local[-1]) + 1 if len(local) else 0, local.astype(np.uint32), hashes)
        return task

    def _append(self, records: int, ids: npt.NDArray[np.uint32], hashes: npt.NDArray[np.uint64]) -> None:
        self._open().append(records, ids, hashes, np.zeros(records, np.uint32))

    def _open(self) -> KeyFileWriter:
        if self._writer is None:
            self._writer = KeyFileWriter(self.context.attempt_path(_IDS_FILE), _LAYOUT)
        return self._writer

    def flush(self) -> Iterator[DocumentBatch]:
        """Close the unit's file; records after the last document count too."""
        writer = self._open()
        self._append(
            self.context.records - writer.records, np.zeros(0, np.uint32), np.zeros((0, 2), np.uint64)
        )
        rows, size = writer.records, writer.close(self.context.sync)
        name = f"{IDS_FOLDER}/{self.context.unit_id}.keys"
        self.context.outputs.append(OutputFile(name, str(writer.path), rows, size, ""))
        self._writer = None
        yield from ()
