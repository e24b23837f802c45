"""A column with a name."""

from __future__ import annotations

import operator
from typing import Any, Self

import cupy
import pandas as pd
import pyarrow as pa
import pylibcudf as plc
from pylibcudf.types import NUMBERS

METHODS = frozenset({"abs", "astype", "clip", "fillna", "isin", "isna", "isnull", "notna", "round", "where"})
METHODS |= {"all", "any", "count", "max", "mean", "min", "nunique", "sum", "unique", "tolist"}


class Buffer:
    """Memory that several columns may share; who asks for an interface that allows to write gets a copy."""

    def __init__(self, span: Any) -> None:
        self.span, self.ptr, self.size = span, span.ptr, span.size

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        self.span = plc.gpumemoryview(cupy.asarray(self.span).copy())
        self.ptr = self.span.ptr
        return self.span.__cuda_array_interface__


def wrapped(column: plc.Column) -> plc.Column:
    """The column over buffers of cuDF's, as each series holds it."""
    if column._on_host is not None:
        return column
    data, mask = (None if span is None else Buffer(span) for span in (column.data(), column.null_mask()))
    children = [wrapped(child) for child in column.children()]
    return plc.Column(
        column.type(), column.size(), data, mask, column.null_count(), column.offset(), children
    )


class Series:
    """Of pandas' kind; computed there."""

    def __init__(self, data: Any = None, name: str | None = None) -> None:
        self.name = name
        if isinstance(data, plc.Column):
            self._column = data
        elif isinstance(data, cupy.ndarray):
            self._column = plc.Column.from_cuda_array_interface(data)
        else:
            array = data if isinstance(data, pa.Array | pa.ChunkedArray) else pa.array(data, from_pandas=True)
            self._column = plc.Column.from_arrow(_plain(array))
        self._column = wrapped(self._column)

    @classmethod
    def from_pylibcudf(cls, col: plc.Column, metadata: dict[str, Any] | None = None) -> Self:
        """Over the same memory."""
        return cls(col, (metadata or {}).get("name"))

    @classmethod
    def from_arrow(cls, array: Any) -> Self:
        """A copy of a host array."""
        return cls(array)

    def to_pylibcudf(self) -> tuple[plc.Column, dict[str, Any]]:
        """Over the same memory."""
        return self._column, {"name": self.name, "index": None}

    def to_arrow(self) -> pa.Array:
        """A copy on the host."""
        return self._column.to_arrow()

    def to_pandas(self) -> pd.Series:
        """A copy on the host."""
        array = self.to_arrow()
        if pa.types.is_primitive(array.type) and not array.null_count:
            return pd.Series(array.to_numpy(zero_copy_only=False), name=self.name)
        return pd.Series(array, dtype=pd.ArrowDtype(array.type), name=self.name)

    @property
    def dtype(self) -> Any:
        """As pandas'; of text, object."""
        kind = self.to_arrow().type
        return kind.to_pandas_dtype() if pa.types.is_primitive(kind) else object

    @property
    def null_count(self) -> int:
        """Rows that are null."""
        return self._column.null_count()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        kind = NUMBERS.get(self._column.type().id())
        if kind is None:
            raise AttributeError("'Series' object has no attribute '__cuda_array_interface__'")
        shown = {"shape": (len(self),), "typestr": kind.str, "strides": None, "version": 3}
        start = self._column.data().ptr + self._column.offset() * kind.itemsize
        return {**shown, "data": (start, False), "mask": self._column.null_mask()}

    @property
    def values(self) -> cupy.ndarray:
        """As an array of the device."""
        if self._column.null_count():
            raise ValueError("Column must have no nulls")
        return cupy.asarray(self)

    def to_numpy(self) -> Any:
        """A copy on the host."""
        return self.values.get()

    def sliced(self, first: int, stop: int) -> Series:
        """Not cuDF's: rows over the same memory."""
        whole, nulls = self._column, self.to_arrow()[first:stop].null_count
        spans = whole.data(), whole.null_mask(), nulls, whole.offset() + first
        return Series(plc.Column(whole.type(), stop - first, *spans, whole.children()), self.name)

    @property
    def str(self) -> Any:
        """Methods of strings."""
        return _Strings(self)

    def __len__(self) -> int:
        return self._column.size()

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a host NumPy array via __array__ is not allowed")

    def __invert__(self) -> Series:
        return made(~self.to_pandas())

    def __getattr__(self, name: str) -> Any:  # type: ignore[valid-type]
        if name not in METHODS:
            raise AttributeError(f"the stand-in of cudf.Series has no {name!r}")
        return _computed(getattr(self.to_pandas(), name))


class _Strings:
    def __init__(self, series: Series) -> None:
        self._pandas = series.to_pandas().str

    def __getattr__(self, name: str) -> Any:
        return _computed(getattr(self._pandas, name))


def made(found: Any) -> Any:
    """A series of what pandas gave, or the number that it is."""
    return Series(pa.array(found), found.name) if isinstance(found, pd.Series) else found


def on_host(value: Any) -> Any:
    """What pandas computes with."""
    if isinstance(value, Series):
        return value.to_pandas()
    return value.get() if isinstance(value, cupy.ndarray) else value


def _computed(method: Any) -> Any:
    return lambda *args, **named: made(method(*map(on_host, args), **named))


def _plain(array: Any) -> Any:
    kind = array.type
    return array.cast(pa.large_string()) if kind == pa.string_view() else array


def _operator(name: str) -> Any:
    function = getattr(operator, name)
    return lambda self, other: made(function(self.to_pandas(), on_host(other)))


for _name in ("add", "sub", "mul", "truediv", "mod", "eq", "ne", "lt", "le", "gt", "ge", "and_", "or_"):
    setattr(Series, f"__{_name.rstrip('_')}__", _operator(_name))
Series.__hash__ = None  # type: ignore[assignment]
