"""JSON lines on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpucurate.ops.buffers import read_only
from gpucurate.ops.compiled import kernel
from gpucurate.ops.copying import copy_bytes
from gpucurate.ops.json_lines.contract import BEGIN, END, ESCAPED, KIND, PLAIN, SIZE, Bytes, Mask, Places
from gpucurate.ops.json_lines.keys import joined_keys
from gpucurate.ops.json_lines.lines import find_lines
from gpucurate.ops.json_lines.scan import scan_lines
from gpucurate.ops.json_lines.simd import WIDTH
from gpucurate.ops.json_lines.values import unescape

__all__ = ["copy_strings", "find_lines", "scan_and_copy", "scan_fields"]


def scan_fields(
    data: Bytes, starts: Places, stops: Places, fields: Sequence[str], *, max_depth: int, only: bool = False
) -> tuple[Places, Mask]:
    """See the contract."""
    out, offsets = np.empty(WIDTH, np.uint8), np.zeros(len(starts) + 1, np.int64)
    return scan_and_copy(data, starts, stops, fields, -1, out, offsets, max_depth=max_depth, only=only)


def scan_and_copy(  # noqa: PLR0917 - a scan, and what else it does on its way
    data: Bytes,
    starts: Places,
    stops: Places,
    fields: Sequence[str],
    text: int,
    out: Bytes,
    offsets: Places,
    *,
    max_depth: int,
    only: bool = False,
) -> tuple[Places, Mask]:
    """``scan_fields``, and on the way the strings of one field, without escapes.

    Args:
        data: as of the contract, and so are ``starts``, ``stops``, ``fields``, ``max_depth``, ``only``.
        text: number of the field whose strings are copied; -1 for none.
        out: uint8, room for the strings and 64 bytes more. Receives the strings of the lines that pass.
        offsets: int64[n+1], the first 0. Becomes where in ``out`` each line's string begins and ends.
    """
    keys, key_offsets = joined_keys(fields)
    found = np.zeros((len(starts), len(fields), 4), np.int64)
    passed = np.zeros(len(starts), np.bool_)
    scan_lines(
        read_only(data, np.uint8),
        read_only(starts, np.int64),
        read_only(stops, np.int64),
        keys,
        key_offsets,
        only,
        max_depth,
        found,
        passed,
        text,
        out,
        offsets,
    )
    return found, passed


def copy_strings(data: Bytes, found: Places) -> tuple[Bytes, Places, Mask]:
    """See the contract."""
    valid: Mask = (found[:, KIND] == PLAIN) | (found[:, KIND] == ESCAPED)
    offsets = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.where(valid, found[:, SIZE], 0), out=offsets[1:])
    out = np.empty(int(offsets[-1]) + WIDTH, np.uint8)
    kinds, begins, ends = found[:, KIND], found[:, BEGIN], found[:, END]
    _copy_strings(read_only(data, np.uint8), kinds, begins, ends, offsets, out)
    return out[: int(offsets[-1])], offsets, valid


@kernel
def _copy_strings(  # noqa: PLR0917
    data: Bytes, kinds: Places, begins: Places, ends: Places, offsets: Places, out: Bytes
) -> None:
    for row in range(len(kinds)):
        if kinds[row] == PLAIN:
            copy_bytes(data, begins[row], ends[row], out, offsets[row])
        elif kinds[row] == ESCAPED:
            unescape(data, begins[row], ends[row], out, offsets[row])
