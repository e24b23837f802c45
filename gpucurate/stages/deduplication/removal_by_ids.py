"""Removal of the documents of a list: by a field of theirs, or by their place in the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from gpucurate.dedup.id_table import IdTable, Mask
from gpucurate.spec.errors import InputError
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.stages.deduplication.column_path import ColumnPath
from gpucurate.tasks.document import DocumentBatch

WITHOUT_ID = "documents without an id"


class _Listed(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Drops the documents whose ids are in a table.

    Args:
        table: file of the :class:`~gpucurate.dedup.id_table.IdTable`.
        digest: of the table, which decides with the plan what is done.
    """

    name = "duplicates"  # what the books call the documents that it drops
    not_in_plan: ClassVar[tuple[str, ...]] = ("table",)
    follows_device = True

    def __init__(self, table: Path, digest: str) -> None:
        self.table = table
        self.digest = digest
        self._table: IdTable | None = None

    def _is_listed(self, ids: pa.Array) -> Mask:
        if self._table is None:
            self._table = IdTable.open(self.table)
        listed, missing = self._table.contains(ids)
        if missing:
            self.count(WITHOUT_ID, missing)
        return listed


class RemovalByField(_Listed):
    """Drops the documents whose field holds an id of the table; one without an id stays.

    Args:
        table: file of the table.
        digest: of the table.
        field: where the id stands.
    """

    def __init__(self, table: Path, digest: str, field: ColumnPath) -> None:
        super().__init__(table, digest)
        self.field = field

    def inputs(self) -> StageIO:
        """The field of ids."""
        return ["data"], [self.field.field]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents that are not listed."""
        return task.select(~self._is_listed(self.field.of(task.data)))


class RemovalByPlace(_Listed):
    """Drops documents whose id, counted through the files of the unit, is in the table.

    Args:
        table: file of the table.
        digest: of the table.
        first_ids: of the first document of each unit.
        counts: documents of each unit.
    """

    def __init__(self, table: Path, digest: str, first_ids: Sequence[int], counts: Sequence[int]) -> None:
        super().__init__(table, digest)
        self.first_ids = list(first_ids)
        self.counts = list(counts)
        self._seen = 0

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit."""
        self._seen = 0
        super().bind(context)

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents that are not listed."""
        first = self.first_ids[self.context.unit_index] + self._seen
        self._seen += task.num_items
        ids = np.arange(first, first + task.num_items, dtype=np.int64)
        column = pa.Array.from_buffers(pa.int64(), len(ids), [None, pa.py_buffer(ids)])
        return task.select(~self._is_listed(column))

    def flush(self) -> Iterator[DocumentBatch]:
        """Nothing; but a unit of other files than those that the ids were given to ends here.

        Raises:
            InputError: it has another number of documents.
        """
        expected = self.counts[self.context.unit_index]
        if self._seen != expected:
            names = ", ".join(tally.name for tally in self.context.tallies[:3])
            raise InputError(
                f"{names}: {self._seen:,} rows are there, and the id generator gave ids to {expected:,}: "
                "it was made of other files"
            )
        yield from ()
