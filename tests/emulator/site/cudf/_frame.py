"""Columns by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import cupy
import numpy as np
import pandas as pd
import pyarrow as pa
import pylibcudf as plc

from cudf._series import Series, on_host


class DataFrame:
    """Of pandas' kind; computed there."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        columns = {name: v if isinstance(v, Series) else Series(v) for name, v in (data or {}).items()}
        self._columns = {name: Series(series._column, name) for name, series in columns.items()}

    @classmethod
    def from_pylibcudf(cls, table: plc.Table, metadata: dict[str, Any] | None = None) -> Self:
        """Over the same memory."""
        if not isinstance(table, plc.Table) or "columns" not in (metadata or {}):
            raise ValueError("Must pass a metadata dict with keys 'columns' when table is a pylibcudf.Table")
        return cls(dict(zip(metadata["columns"], table.columns(), strict=True)))

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Self:
        """A copy of a host table."""
        return cls({name: table[name] for name in table.column_names})

    @classmethod
    def from_pandas(cls, frame: pd.DataFrame) -> Self:
        """A copy of a host frame."""
        return cls({str(name): pa.array(frame[name]) for name in frame.columns})

    @property
    def columns(self) -> pd.Index:
        """The names."""
        return pd.Index(list(self._columns))

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def __getitem__(self, chosen: Any) -> Any:
        if isinstance(chosen, str):
            return self._columns[chosen]
        if isinstance(chosen, list) and all(isinstance(name, str) for name in chosen):
            return DataFrame({name: self._columns[name] for name in chosen})
        mask = np.asarray(on_host(chosen), bool)
        return DataFrame({name: s.to_arrow().filter(pa.array(mask)) for name, s in self._columns.items()})

    def __setitem__(self, name: str, values: Any) -> None:
        if not isinstance(values, Series | cupy.ndarray | np.ndarray | list | pa.Array):
            values = cupy.full(len(self), values)
        self._columns[name] = DataFrame({name: values})[name]

    @property
    def iloc(self) -> _Rows:
        """Rows by their numbers."""
        return _Rows(self)

    def assign(self, **columns: Any) -> DataFrame:
        """With columns added or replaced."""
        return DataFrame({**self._columns, **columns})

    def copy(self, deep: bool = True) -> DataFrame:
        """With memory of its own, if it is to be deep."""
        return DataFrame({n: s._column.copy() if deep else s for n, s in self._columns.items()})

    def reset_index(self, drop: bool = False) -> DataFrame:
        """There is no index."""
        return DataFrame(self._columns)

    def memory_usage(self, index: bool = True, deep: bool = False) -> pd.Series:
        """Bytes of each column."""
        return pd.Series({name: s.to_arrow().nbytes for name, s in self._columns.items()}, dtype=np.int64)

    def to_arrow(self, preserve_index: bool | None = None) -> pa.Table:
        """A copy on the host."""
        return pa.table({name: series.to_arrow() for name, series in self._columns.items()})

    def to_pandas(self) -> pd.DataFrame:
        """A copy on the host."""
        return pd.DataFrame({name: series.to_pandas() for name, series in self._columns.items()})


class _Rows:
    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame

    def __getitem__(self, rows: slice) -> DataFrame:
        first, stop, _ = rows.indices(len(self._frame))
        return DataFrame({name: self._frame[name].sliced(first, stop) for name in self._frame.columns})
