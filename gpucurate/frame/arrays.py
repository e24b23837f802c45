"""Between NumPy and Arrow by their buffers.

``pyarrow.array(ndarray)`` and ``to_numpy()`` of an array of bool import pandas: 0.2 s and 50 MB a process.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def array_of(values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """An Arrow array of numbers or bools.

    Args:
        values: n values of one dimension.
        valid: bool[n], False for null; None if nothing is null.
    """
    validity = None if valid is None or valid.all() else _bits(valid)
    data = _bits(values) if values.dtype == bool else pa.py_buffer(np.ascontiguousarray(values))
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [validity, data])


def values_of(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Values of an Arrow array of numbers or bools; what stands under a null is not defined."""
    whole = _whole(array)
    if not len(whole):
        return np.zeros(0, whole.type.to_pandas_dtype())
    data = whole.buffers()[1]
    if pa.types.is_boolean(whole.type):
        return _unpacked(data, whole.offset, len(whole))
    values = np.frombuffer(data, whole.type.to_pandas_dtype(), whole.offset + len(whole))
    return values[whole.offset :]


def valid_rows(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where an Arrow array of any type but unions is not null: bool[n]."""
    whole = _whole(array)
    if not whole.null_count:
        return np.ones(len(whole), np.bool_)
    validity = whole.buffers()[0]
    return (
        np.zeros(len(whole), np.bool_) if validity is None else _unpacked(validity, whole.offset, len(whole))
    )


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(array, pa.ChunkedArray):
        return array
    return (
        array.chunk(0)
        if array.num_chunks == 1
        else pa.concat_arrays([*array.chunks, pa.nulls(0, array.type)])
    )


def _bits(values: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def _unpacked(bits: pa.Buffer, offset: int, count: int) -> npt.NDArray[np.bool_]:
    start = offset // 8
    packed = np.frombuffer(bits, np.uint8)[start : (offset + count + 7) // 8]
    unpacked = np.unpackbits(packed, bitorder="little").view(np.bool_)
    return unpacked[offset - 8 * start :][:count]
