"""From marks to documents: the last pass of every deduplication."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.marks import ALONE, Marks
from gpucurate.frame.arrays import array_of
from gpucurate.io.piece import LinesOriginal
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch

CLUSTER_FIELD = "_gpucurate_cluster"
KEPT_FIELD = "_gpucurate_is_kept"

DROPPED_BYTES = "bytes of duplicates"
REJECTED_BYTES = "bytes of rejected lines"


class _Marked(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Finds the ids of a batch's documents.

    Args:
        marks: folder of the marks.
    """

    not_in_plan: ClassVar[tuple[str, ...]] = ("marks",)
    follows_device = True

    def __init__(self, marks: Path) -> None:
        self.marks = marks
        self._marks = Marks(marks)
        self._base: tuple[tuple[str, int], int] | None = None

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit."""
        self._base = None
        super().bind(context)

    def ids(self, task: DocumentBatch) -> npt.NDArray[np.int64]:
        """Id of each document of the batch."""
        if task.records is None or task._origin is None or task._origin.source is None:
            raise ValueError(f"batch {task.task_id!r} was not made by a reader: its documents have no ids")
        source = task._origin.source
        key = (source.file.name, source.ordinal)
        if self._base is None or self._base[0] != key:
            position = self.context.range_position(source)
            self._base = key, self._marks.base(self.context.unit_index, position)
        return task.records + self._base[1]


class DuplicateRemoval(_Marked):
    """Drops the documents that are marked as duplicates or were rejected.

    Of lines it counts the bytes that go, newlines included, under the two names above.
    """

    name = "duplicate_removal"

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents that are kept."""
        ids = self.ids(task)
        kept = self._marks.kept(ids)
        if isinstance(task._original, LinesOriginal):
            accepted = self._marks.accepted(ids)
            self.count(DROPPED_BYTES, task._original.select(accepted & ~kept).nbytes)
            self.count(REJECTED_BYTES, task._original.select(~accepted).nbytes)
        return task.select(kept)


class DuplicateAnnotation(_Marked):
    """Adds the cluster of each document, and whether it is kept; drops what was rejected.

    The columns are ``_gpucurate_cluster`` (int64; null for a document without duplicates)
    and ``_gpucurate_is_kept`` (bool).
    """

    name = "duplicate_annotation"

    def outputs(self) -> StageIO:
        """The two columns."""
        return ["data"], [CLUSTER_FIELD, KEPT_FIELD]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents with the columns."""
        ids = self.ids(task)
        accepted = self._marks.accepted(ids)
        labels = self._marks.labels(ids)[accepted]
        cluster = array_of(labels.astype(np.int64), valid=labels != ALONE)
        kept = array_of(self._marks.kept(ids)[accepted])
        return task.select(accepted).assign({CLUSTER_FIELD: cluster, KEPT_FIELD: kept})
