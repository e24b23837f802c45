"""A batch of documents, and the untouched records it was read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.frame.text import TextBuffers
from gpucurate.spec.device import Device
from gpucurate.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd


class Original(Protocol):
    """The records behind the rows of a batch, byte for byte as they were read."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""

    def __len__(self) -> int:
        """Number of records."""

    def select(self, mask: npt.NDArray[np.bool_]) -> Self:
        """The records where ``mask`` is true, in order."""

    def slice(self, first: int, stop: int) -> Self:
        """Records ``first`` to ``stop``."""

    def sizes(self) -> npt.NDArray[np.float64]:
        """Bytes of each record."""

    def joined(self, others: Sequence[Self]) -> Self:
        """These records and those of others, in order."""


@dataclass
class DocumentBatch(Task[frame.Table]):
    """Documents as rows of a table: pandas, Arrow or cuDF.

    A batch that a reader made also carries the records as they stand in the file. As
    long as stages only drop rows (:meth:`select`) or set columns (:meth:`assign`), the
    writer copies those records, so fields that were never read survive. A stage that
    builds a batch of its own, or gives one another table, decides alone what is written.

    Args:
        data: the table.
        records: int64, physical record of each row counted from the start of the file
            range it was read from; None for a batch made in memory.

    Raises:
        ValueError: not as many ``records`` as rows.
    """

    records: npt.NDArray[np.int64] | None = None
    # Not arguments: dataclasses.replace(batch, data=...) must not keep what belongs to other rows.
    _original: Original | None = field(default=None, init=False, repr=False)
    _changed: frozenset[str] = field(default=frozenset(), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.records is not None and frame.is_table(self.data) and len(self.records) != self.num_items:
            raise ValueError(
                f"batch {self.task_id!r} has {self.num_items} rows and {len(self.records)} records: "
                "give records=None with a table of your own, or use select()"
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "data" and self.__dict__.get("data", value) is not value:
            object.__setattr__(self, "records", None)
            object.__setattr__(self, "_original", None)
            object.__setattr__(self, "_changed", frozenset())
        object.__setattr__(self, name, value)

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        # Arrow pickles the whole buffers behind a slice.
        return {**self.__dict__, "data": frame.pack(self.data)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "data": frame.unpack(state["data"])})

    @property
    def num_items(self) -> int:
        """Number of documents."""
        return frame.num_rows(self.data)

    @property
    def nbytes(self) -> int:
        """Bytes of the table and of the original records behind it."""
        original = self._original.nbytes if self._original is not None else 0
        return frame.nbytes(self.data) + original

    @property
    def device(self) -> Device:
        """Where the table lives."""
        return frame.device_of(self.data)

    def validate(self) -> bool:
        """Whether the payload is a table of a known engine."""
        return frame.is_table(self.data)

    def get_columns(self) -> list[str]:
        """Names of the columns."""
        return frame.column_names(self.data)

    def to_pandas(self) -> pd.DataFrame:
        """The table as pandas (no copy if it is one)."""
        return frame.to_pandas(self.data)

    def to_pyarrow(self) -> pa.Table:
        """The table as Arrow (no copy if it is one)."""
        return frame.to_arrow(self.data)

    def to_cudf(self) -> Any:
        """The table as cuDF on the current device (no copy if it is one)."""
        return frame.to_cudf(self.data)

    def moved_to(self, device: Device, *, as_frame: bool = False) -> Self:
        """The batch on a device, with the records of its rows; itself if it is there.

        Args:
            device: where to. On the host a batch from a device is Arrow; on a device it is columns of
                their own, or
            as_frame: cuDF, over the same memory.

        Raises:
            ImportError: cuDF is needed, and not installed.
            DeviceError: CuPy is.
        """
        if device == "cpu":
            table = frame.to_arrow(self.data) if self.device == "cuda" else self.data
        elif as_frame:
            table = frame.to_cudf(self.data)
        else:
            table = self.data if self.device == "cuda" else frame.to_device_table(self.data)
        return self if table is self.data else self._with_rows(table)

    def _with_rows(self, table: frame.Table) -> Self:
        """Another table of the same rows."""
        moved = replace(self, data=table)
        moved._original, moved._changed = self._original, self._changed
        return moved

    def text(self, column: str) -> TextBuffers:
        """The buffers of a text column, where the batch is.

        Raises:
            KeyError: no such column.
            TypeError: the column does not hold text.
        """
        if column not in self.get_columns():
            raise KeyError(f"no column {column!r} among {self.get_columns()}")
        return frame.text_of(self.data, column)

    def select(self, mask: npt.NDArray[np.bool_]) -> Self:
        """A batch of the rows where ``mask`` (bool, one entry a row, of either side) is true.

        Raises:
            TypeError: the mask is not bool, or has nulls.
            ValueError: it has not one entry a row.
        """
        on_device, mask = frame.device_mask(mask), frame.as_mask(mask, self.num_items)
        chosen = replace(
            self,
            data=frame.take_mask(self.data, mask if on_device is None or self.device == "cpu" else on_device),
            records=None if self.records is None else self.records[mask],
        )
        chosen._original = None if self._original is None else self._original.select(mask)
        chosen._changed = self._changed
        return chosen

    def rows(self, first: int, stop: int) -> Self:
        """A batch of rows ``first`` to ``stop``, over the same memory where that can be."""
        chosen = replace(
            self,
            data=frame.slice_rows(self.data, first, stop),
            records=None if self.records is None else self.records[first:stop],
        )
        chosen._original = None if self._original is None else self._original.slice(first, stop)
        chosen._changed = self._changed
        return chosen

    def joined(self, others: Sequence[Self]) -> Self:
        """A batch of these rows and those of others, in order.

        Args:
            others: of the same columns and the same history: with records where this one has them, with
                the same columns changed.
        """
        batches = [self, *others]
        whole = replace(
            self,
            data=frame.concatenate([batch.data for batch in batches]),
            records=None if self.records is None else np.concatenate([b.records for b in batches]),
        )
        if self._original is not None:
            whole._original = self._original.joined([b._original for b in others if b._original is not None])
        whole._changed = self._changed
        return whole

    def assign(self, columns: Mapping[str, Any]) -> Self:
        """A batch with columns added or replaced; all else stays as it was read."""
        changed = self._with_rows(frame.with_columns(self.data, columns))
        changed._changed = self._changed | frozenset(columns)
        return changed

    def assign_of(self, table: frame.Table) -> Self:
        """A batch with the columns of a table of as many rows added or replaced, row by row."""
        changed = self._with_rows(frame.with_columns_of(self.data, table))
        changed._changed = self._changed | frozenset(frame.column_names(table))
        return changed

    def with_original(self, original: Original | None) -> Self:
        """The batch with the untouched records of its rows. For readers.

        Raises:
            ValueError: not as many records as rows.
        """
        if original is not None and len(original) != self.num_items:
            raise ValueError(f"{len(original)} original records for {self.num_items} rows")
        whole = replace(self)
        whole._original = original
        return whole
