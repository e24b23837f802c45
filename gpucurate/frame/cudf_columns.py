"""Between cuDF's columns and the buffers that operations work on, without a copy of text or values.

The one place that touches pylibcudf's columns (26.10). A column of strings is its characters, a child of
offsets (int32, or int64 once there are 2^31 characters) and a mask of bits; ours are int64 and bool, which
are made anew: a few bytes a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gpucurate.frame.device_gather import prefix_sums, take_text
from gpucurate.frame.device_table import Column, DeviceTable, DeviceValues, has_buffers, to_device
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import array_module, depart, note_download, note_upload

if TYPE_CHECKING:  # so that mypy reads the stubs of pylibcudf (tests/rapids)
    import cudf
    import pylibcudf as plc

MOST_SHORT_OFFSETS = 2**31 - 1
"""Characters up to which libcudf wants offsets of 32 bits."""

_TYPES = {
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "FLOAT32": np.float32,
    "FLOAT64": np.float64,
    "BOOL8": np.bool_,
}


def frame_of(table: DeviceTable) -> cudf.DataFrame:
    """A ``cudf.DataFrame`` over the same memory; columns that lie on the host are uploaded."""
    import cudf
    import pylibcudf as plc

    columns = [_column_of(column) for column in table.columns.values()]
    return cudf.DataFrame.from_pylibcudf(plc.Table(columns), {"columns": list(table.columns)})


def table_of(frame: cudf.DataFrame) -> DeviceTable:
    """The columns of a ``cudf.DataFrame`` or ``pylibcudf`` table with its names, over the same memory."""
    return DeviceTable({str(name): column_of_series(frame[name]) for name in frame.columns}, len(frame))


def column_of_series(series: cudf.Series) -> Column:
    """The column of a ``cudf.Series``."""
    return buffers_of(series.to_pylibcudf()[0])


def buffers_of(column: plc.Column) -> Column:
    """The buffers of a ``pylibcudf.Column``; of types without, an Arrow array on the host."""
    name = column.type().id().name
    if name == "STRING":
        return _text_of(_shown(column, 0))
    if name in _TYPES:
        column = _shown(column, np.dtype(_TYPES[name]).itemsize)
        first, rows = column.offset(), column.size()
        values = _span(column.data(), _TYPES[name])[first : first + rows]
        return DeviceValues(values, _valid(column))
    import cudf

    depart(f"columns of {name} come to the host", column.size())
    array: pa.Array = cudf.Series.from_pylibcudf(column).to_arrow()
    note_download(array.nbytes)
    return array


def _shown(column: plc.Column, itemsize: int) -> plc.Column:
    """The column if it shows all the memory of its rows, else a copy.

    A slice of what Arrow holds shows as many values and bits as it has rows, from the beginning on.
    """
    rows, data, mask = column.offset() + column.size(), column.data(), column.null_mask()
    is_short = (data is not None and data.size < rows * itemsize) or (
        mask is not None and 8 * mask.size < rows
    )
    return column.copy() if is_short else column


def _text_of(column: plc.Column) -> TextBuffers:
    xp = array_module()
    first, rows, valid = column.offset(), column.size(), _valid(column)
    if not rows:
        return TextBuffers(xp.zeros(0, np.uint8), xp.zeros(1, np.int64), None)
    child = column.child(0)
    kind = np.int64 if child.type().id().name == "INT64" else np.int32
    offsets = _span(child.data(), kind)[first : first + rows + 1].astype(np.int64)
    text = TextBuffers(_span(column.data(), np.uint8), offsets, valid)
    return text if valid is None else _without_text_under_nulls(text, valid)


def _without_text_under_nulls(text: TextBuffers, valid: Any) -> TextBuffers:
    """libcudf allows characters under a null; a null document of ours has none."""
    xp = array_module()
    lengths = xp.diff(text.offsets)
    if not bool(xp.any(lengths[~valid] != 0)):
        return text
    kept = take_text(text, valid)
    return TextBuffers(kept.data, prefix_sums(xp.where(valid, lengths, 0)), valid)


def _valid(column: plc.Column) -> Any:
    """bool[rows], or None if nothing is null."""
    if not column.null_count():
        return None
    xp, first, rows = array_module(), column.offset(), column.size()
    bits = _span(column.null_mask(), np.uint8)[first // 8 : (first + rows + 7) // 8]
    return xp.unpackbits(bits, bitorder="little")[first % 8 :][:rows].astype(bool)


class _Lent:
    """Memory to read. cuDF copies a buffer that others share before it lends it by this interface itself."""

    def __init__(self, span: Any) -> None:
        self.span = span
        self.__cuda_array_interface__ = {
            "data": (span.ptr, False),
            "shape": (span.size,),
            "typestr": "|u1",
            "strides": None,
            "version": 3,
        }


def _span(span: Any, kind: type[np.generic]) -> Any:
    """Memory of libcudf as an array of CuPy, which keeps it alive."""
    xp = array_module()
    return xp.zeros(0, kind) if span is None else xp.asarray(_Lent(span)).view(kind)


def _column_of(column: Column) -> plc.Column:
    """A ``pylibcudf.Column`` over the memory of a column."""
    import cudf
    import pylibcudf as plc

    if isinstance(column, pa.Array | pa.ChunkedArray):
        if not has_buffers(column.type):
            note_upload(column.nbytes)
            return cudf.Series.from_arrow(column).to_pylibcudf()[0]
        column = to_device(column)
    if isinstance(column, TextBuffers):
        return _strings(column)
    if isinstance(column, DeviceValues):
        values = plc.Column.from_cuda_array_interface(column.values)
        return values if column.valid is None else values.with_mask(*_mask(column.valid))
    raise TypeError(f"a column of {column.type} has no buffers on the device")


def _strings(text: TextBuffers) -> plc.Column:
    import pylibcudf as plc

    xp, rows = array_module(), len(text)
    begin, end = int(text.offsets[0]), int(text.offsets[-1])
    offsets: Any = text.offsets - begin
    if end - begin <= MOST_SHORT_OFFSETS:
        offsets = offsets.astype(np.int32)
    mask, nulls = (None, 0) if text.valid is None else _mask(text.valid)
    return plc.Column(
        plc.DataType(plc.TypeId.STRING),
        rows,
        plc.gpumemoryview(xp.ascontiguousarray(text.data[begin:end])),
        mask,
        nulls,
        0,
        [plc.Column.from_cuda_array_interface(offsets)],
    )


def _mask(valid: Any) -> tuple[plc.gpumemoryview, int]:
    """The mask of bits, padded as libcudf wants it, and the count of nulls."""
    import pylibcudf as plc

    xp = array_module()
    bits = xp.zeros(plc.null_mask.bitmask_allocation_size_bytes(len(valid)), np.uint8)
    packed = xp.packbits(valid, bitorder="little")
    bits[: len(packed)] = packed
    return plc.gpumemoryview(bits), int(len(valid) - valid.sum())
