"""Columns in libcudf's layout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import cupy
import numpy as np
import pyarrow as pa

from pylibcudf.gpumemoryview import gpumemoryview
from pylibcudf.null_mask import bitmask_allocation_size_bytes
from pylibcudf.types import NUMBERS, DataType, TypeId, type_of_numbers, type_of_others

MOST_SHORT_OFFSETS = 2**31 - 1
"""Characters up to which offsets have 32 bits; a test may lower it."""


class Column:
    """Data, mask and children; rows begin at ``offset``."""

    def __init__(
        self,
        data_type: DataType,
        size: int,
        data: Any,
        mask: Any,
        null_count: int,
        offset: int,
        children: Iterable[Column],
        validate: bool = True,
    ) -> None:
        for name, span in (("data", data), ("mask", mask)):
            if validate and span is not None and not (hasattr(span, "ptr") and hasattr(span, "size")):
                raise TypeError(f"{name} must satisfy Span protocol (have .ptr and .size), got {type(span)}")
        self._type, self._size, self._offset, self._nulls = data_type, size, offset, null_count
        self._data, self._mask, self._children = data, mask, list(children)
        self._on_host: pa.Array | None = None  # of types that the stand-in has no layout for

    def type(self) -> DataType:
        """Its type."""
        return self._type

    def size(self) -> int:
        """Rows."""
        return self._size

    def offset(self) -> int:
        """The first row in data and mask."""
        return self._offset

    def null_count(self) -> int:
        """Rows that are null."""
        return self._nulls

    def data(self) -> Any:
        """Values, or characters."""
        return self._data

    def null_mask(self) -> Any:
        """Bits, of which 1 is valid; None without nulls."""
        return self._mask

    def child(self, index: int) -> Column:
        """Of text, the first has the offsets."""
        return self._children[index]

    def children(self) -> list[Column]:
        """All of them."""
        return self._children

    def num_children(self) -> int:
        """How many."""
        return len(self._children)

    def with_mask(self, mask: Any, null_count: int, validate: bool = True) -> Column:
        """Over the same data, with other nulls."""
        return Column(
            self._type, self._size, self._data, mask, null_count, self._offset, self._children, validate
        )

    def copy(self, stream: Any = None, mr: Any = None) -> Column:
        """The rows in memory of their own."""
        return Column.from_arrow(self.to_arrow())

    @classmethod
    def from_cuda_array_interface(cls, obj: Any, stream: Any = None) -> Self:
        """Over an array of the device."""
        described = obj.__cuda_array_interface__
        if described.get("strides") is not None:
            raise ValueError("Data must be C-contiguous")
        if len(described["shape"]) != 1:
            raise NotImplementedError("the stand-in knows arrays of one dimension")
        kind = type_of_numbers(np.dtype(described["typestr"]))
        return cls(kind, described["shape"][0], gpumemoryview(obj), None, 0, 0, [])

    @staticmethod
    def from_arrow(obj: Any, dtype: Any = None, stream: Any = None, mr: Any = None) -> Column:
        """A copy of a host array."""
        array = pa.concat_arrays(obj.chunks) if isinstance(obj, pa.ChunkedArray) else obj
        kind, rows, nulls = array.type, len(array), array.null_count
        mask = gpumemoryview(_mask_of(array)) if nulls else None
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            data, offsets = _characters(array)
            children = [Column.from_cuda_array_interface(offsets)]
            return Column(DataType(TypeId.STRING), rows, gpumemoryview(data), mask, nulls, 0, children)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            values = cupy.asarray(array.fill_null(False if pa.types.is_boolean(kind) else 0).to_numpy(False))
            return Column.from_cuda_array_interface(values).with_mask(mask, nulls)
        column = Column(type_of_others(kind), rows, None, mask, nulls, 0, [])
        column._on_host = array
        return column

    def to_arrow(self, metadata: Any = None, stream: Any = None) -> pa.Array:
        """A copy on the host."""
        if self._on_host is not None:
            return self._on_host
        rows = self._offset + self._size
        mask = None if self._mask is None or not self._nulls else _host_buffer(self._mask, -(-rows // 8))
        if self._type.id() is not TypeId.STRING:
            kind = NUMBERS[self._type.id()]
            values = np.frombuffer(_host_buffer(self._data, rows * kind.itemsize), kind)
            whole = pa.array(values)
            return _slice(whole.type, [mask, whole.buffers()[1]], self)
        if not self._size:
            return pa.array([], pa.string())
        is_wide = self.child(0).type().id() is TypeId.INT64
        buffers = [mask, _host_buffer(self.child(0).data()), _host_buffer(self._data)]
        return _slice(pa.large_string() if is_wide else pa.string(), buffers, self)


def _slice(kind: pa.DataType, buffers: list[Any], column: Column) -> pa.Array:
    return pa.Array.from_buffers(kind, column.size(), buffers, offset=column.offset())


def _host_buffer(span: Any, least: int = 0) -> pa.Buffer:
    """A copy of the memory; as libcudf goes by pointers, also of what a span does not show."""
    nbytes = max(span.size, least)
    return pa.py_buffer(pa.foreign_buffer(span.ptr, nbytes, span).to_pybytes() if nbytes else b"")


def _mask_of(array: pa.Array) -> Any:
    bits = np.zeros(bitmask_allocation_size_bytes(len(array)), np.uint8)
    packed = np.packbits(array.is_valid().to_numpy(False), bitorder="little")
    bits[: len(packed)] = packed
    return cupy.asarray(bits)


def _characters(array: pa.Array) -> tuple[Any, Any]:
    """Characters and offsets, which begin at 0."""
    rows = [value or b"" for value in array.view(_binary_of(array.type)).to_pylist()]
    data, offsets = np.frombuffer(b"".join(rows), np.uint8), np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    kind = np.int32 if len(data) <= MOST_SHORT_OFFSETS else np.int64
    return cupy.asarray(data), cupy.asarray(offsets.astype(kind))


def _binary_of(kind: pa.DataType) -> pa.DataType:
    return pa.large_binary() if pa.types.is_large_string(kind) else pa.binary()
