"""JSON strings copied into the buffers of a text column, without their escapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.io.jsonl.scan import BEGIN, END, ESCAPED, KIND, PLAIN, SIZE, hex4
from gpucurate.io.jsonl.simd import WIDTH, backslash_mask, copy_block, first_bit
from gpucurate.ops.compiled import kernel
from gpucurate.ops.copying import copy_bytes


@kernel
def _put_character(out: Any, o: int, code: int) -> int:
    """Write ``code`` as UTF-8 at ``o``; the position after it."""
    if code < 0x80:
        out[o] = code
        return o + 1
    if code < 0x800:
        out[o] = 0xC0 | code >> 6
        out[o + 1] = 0x80 | code & 63
        return o + 2
    if code < 0x10000:
        out[o] = 0xE0 | code >> 12
        out[o + 1] = 0x80 | code >> 6 & 63
        out[o + 2] = 0x80 | code & 63
        return o + 3
    out[o] = 0xF0 | code >> 18
    out[o + 1] = 0x80 | code >> 12 & 63
    out[o + 2] = 0x80 | code >> 6 & 63
    out[o + 3] = 0x80 | code & 63
    return o + 4


@kernel
def _simple(c: int) -> int:
    """What the letter after a backslash stands for."""
    if c == 110:
        return 10
    if c == 116:
        return 9
    if c == 114:
        return 13
    if c == 98:
        return 8
    if c == 102:
        return 12
    return c


@kernel
def _unescape(data: Any, i: int, stop: int, out: Any, o: int) -> None:
    """Copy a valid string; ``out`` has a block of room behind the last string."""
    while i < stop:
        c = data[i]
        if c != 92:
            # What is copied beyond the next backslash, or the end, is overwritten.
            if i + WIDTH <= len(data):
                copy_block(data, i, out, o)
                size = min(first_bit(backslash_mask(data, i)), stop - i)
                i += size
                o += size
            else:
                out[o] = c
                i += 1
                o += 1
        elif data[i + 1] != 117:
            out[o] = _simple(data[i + 1])
            i += 2
            o += 1
        else:
            code = hex4(data, i + 2)
            i += 6
            if 0xD800 <= code <= 0xDBFF:
                code = 0x10000 + ((code - 0xD800) << 10) + (hex4(data, i + 2) - 0xDC00)
                i += 6
            o = _put_character(out, o, code)


@kernel
def _copy_strings(data: Any, found: Any, offsets: Any, out: Any) -> None:
    for row in range(len(found)):
        if found[row, KIND] == PLAIN:
            copy_bytes(data, found[row, BEGIN], found[row, END], out, offsets[row])
        elif found[row, KIND] == ESCAPED:
            _unescape(data, found[row, BEGIN], found[row, END], out, offsets[row])


def string_column(data: npt.NDArray[np.uint8], found: npt.NDArray[np.int64]) -> pa.Array:
    """A large_string column of scanned values; what is no string becomes null.

    Args:
        data: uint8, the bytes of the lines.
        found: int64[n, 4], what :func:`scan_lines` found of one field.
    """
    is_string = (found[:, KIND] == PLAIN) | (found[:, KIND] == ESCAPED)
    offsets = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.where(is_string, found[:, SIZE], 0), out=offsets[1:])
    out = np.empty(int(offsets[-1]) + WIDTH, np.uint8)
    _copy_strings(data, found, offsets, out)
    validity = None if is_string.all() else pa.py_buffer(np.packbits(is_string, bitorder="little").tobytes())
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(out[: int(offsets[-1])])]
    return pa.Array.from_buffers(pa.large_string(), len(found), buffers)
