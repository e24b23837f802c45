"""The rows of a batch, told apart in what several stages make of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.frame.arrays import array_of, values_of
from gpucurate.frame.transfers import array_module
from gpucurate.spec.errors import StageError
from gpucurate.spec.names import RESERVED_PREFIX
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.specification import is_users
from gpucurate.tasks.document import DocumentBatch

ROW = f"{RESERVED_PREFIX}row"
"""Column with the number of each row, in what stages that are not gpucurate's own are given."""

Stage = ProcessingStage[Any, Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """What a stage made of a batch.

    Attributes:
        kept: bool, one entry a row of the batch: whether the stage kept it.
        columns: table of the columns that it added or changed, of the rows that it kept; None if it
            added none.
        is_gone: whether it made nothing of the batch, not even one without rows.
    """

    kept: Mask
    columns: frame.Table | None
    is_gone: bool = False


class Rows:
    """The rows of one batch.

    They are known again by their records (which ``select`` and ``assign`` keep) and by the column
    ``_gpucurate_row``, which is added to what stages of the user's own see. A frame that has neither
    and as many rows as the batch is taken to have the same rows in the same order.

    Args:
        batch: the batch; it is not changed.
    """

    def __init__(self, batch: DocumentBatch) -> None:
        self.batch = batch
        given = batch.records
        in_order = given is not None and bool(np.all(np.diff(given) > 0))
        self._records = given if given is not None and in_order else np.arange(batch.num_items)

    def given_to(self, stage: Stage) -> DocumentBatch:
        """The batch as ``stage`` sees it: one of its own, of which no column counts as changed."""
        if is_users(stage):
            table = self.batch.moved_to(self.batch.device, as_frame=True).data
            seen = self.batch._with_rows(frame.with_columns(table, {ROW: _numbers(table)}))
            seen._original = None  # the rows that stay are taken from this batch
        else:
            seen = copy.copy(self.batch)
        seen.records, seen._changed = self._records, frozenset()
        return seen

    def found_in(self, stage: Stage, made: DocumentBatch | None) -> Found:
        """What ``stage`` made of the batch.

        Raises:
            StageError: a row was made twice, moved, or made up; or rows cannot be told apart.
        """
        kept = np.zeros(self.batch.num_items, np.bool_)
        if made is None:
            return Found(kept, None, is_gone=True)
        kept[self._positions(stage, made)] = True
        names = _new_columns(stage, made, self.batch.get_columns())
        return Found(kept, frame.select_columns(made.data, names) if names else None)

    def _positions(self, stage: Stage, made: DocumentBatch) -> npt.NDArray[np.int64]:
        rows = self.batch.num_items
        if made.num_items > rows:
            raise _not_row_wise(stage, f"{made.num_items} rows of {rows}")
        if made.records is not None:
            at = np.searchsorted(self._records, made.records)
            if not np.array_equal(self._records[np.minimum(at, rows - 1)], made.records):
                raise _not_row_wise(stage, "records that the batch has not")
        elif ROW in made.get_columns():
            at = _integers(stage, frame.column_as_arrow(made.data, ROW))
        elif made.num_items == rows:
            return np.arange(rows)
        else:
            raise StageError(
                f"stage {stage.name!r} made a table of {made.num_items} rows of {rows}, and which ones they "
                f"are cannot be told: use select() and assign(), or keep the column {ROW!r}",
                stage.name,
            )
        if len(at) and (at[0] < 0 or at[-1] >= rows or not np.all(np.diff(at) > 0)):
            raise _not_row_wise(stage, f"{len(at)} rows of {rows}, some of them twice, moved or made up")
        return at


def _numbers(table: frame.Table) -> Any:
    rows = frame.num_rows(table)
    if frame.device_of(table) == "cuda":
        return array_module().arange(rows)
    return array_of(np.arange(rows)) if isinstance(table, pa.Table) else np.arange(rows)


def _integers(stage: Stage, column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    if not pa.types.is_integer(column.type) or column.null_count:
        raise _not_row_wise(stage, "rows without a number")
    return values_of(column).astype(np.int64, copy=False)


def _new_columns(stage: Stage, made: DocumentBatch, before: list[str]) -> list[str]:
    new = set(stage.outputs()[1]) | made._changed
    return [name for name in made.get_columns() if name != ROW and (name in new or name not in before)]


def _not_row_wise(stage: Stage, what: str) -> StageError:
    return StageError(
        f"stage {stage.name!r} gave {what}: of stages side by side, each makes at most one row of each, in "
        "order; put it before or after them",
        stage.name,
    )
