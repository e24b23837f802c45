"""How the bytes of a table are spread over its rows, so that it can be cut into even parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.frame.device_table import DeviceTable
from gpucurate.frame.table import Table, column_as_arrow, column_names, nbytes, num_rows
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import download

_LARGE = (pa.types.is_large_string, pa.types.is_large_binary, pa.types.is_large_list)
_SMALL = (pa.types.is_string, pa.types.is_binary, pa.types.is_list)


def row_bytes(table: Table) -> npt.NDArray[np.float64]:
    """Bytes of each row, as estimated by the lengths of texts and lists: float64[rows].

    They add up to the bytes of the table; what has no length of its own counts the same for each row.
    """
    rows = num_rows(table)
    lengths = np.zeros(rows, np.int64)
    for name in column_names(table) if rows else ():
        column = table.columns[name] if isinstance(table, DeviceTable) else column_as_arrow(table, name)
        if isinstance(column, TextBuffers):
            lengths += np.diff(download(column.offsets))
        elif isinstance(column, pa.Array | pa.ChunkedArray):
            lengths += _lengths(column)
    whole = nbytes(table)
    known = min(1.0, whole / max(1, int(lengths.sum())))  # a text that many rows share is there once
    weighted = lengths * np.float64(known)
    sizes: npt.NDArray[np.float64] = weighted + max(0.0, whole - float(weighted.sum())) / max(1, rows)
    return sizes


def _lengths(column: Any) -> npt.NDArray[np.int64]:
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return np.concatenate([np.zeros(0, np.int64), *map(_chunk_lengths, chunks)])


def _chunk_lengths(array: pa.Array) -> npt.NDArray[np.int64]:
    """Bytes of text, or entries of lists weighted by what they take."""
    width = _offset_type(array.type)
    if width is None or not len(array):
        return np.zeros(len(array), np.int64)
    offsets = np.frombuffer(array.buffers()[1], width)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets).astype(np.int64)
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return lengths
    entries = int(offsets[-1] - offsets[0])
    return lengths * (array.nbytes // entries) if entries else lengths


def _offset_type(kind: pa.DataType) -> Any:
    if any(is_kind(kind) for is_kind in _LARGE):
        return np.int64
    return np.int32 if any(is_kind(kind) for is_kind in _SMALL) else None
