"""Fields put before the closing brace of JSON lines, in compiled code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gpucurate.io.jsonl.members import key_of
from gpucurate.io.jsonl.render import Rendered, joined
from gpucurate.io.piece import LinesOriginal, Mask
from gpucurate.ops.compiled import kernel
from gpucurate.ops.copying import copy_bytes
from gpucurate.ops.json_lines.characters import BACKSLASH, QUOTE, spells
from gpucurate.ops.json_lines.simd import WIDTH, first_bit, quote_mask

Bytes: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int64]


def lines_with(lines: LinesOriginal, names: Sequence[str]) -> Mask:
    """Lines (bool[n]) in which one of the names may stand between quotes, however it is spelled.

    None that has one is left out.
    """
    found = np.zeros(len(lines), np.bool_)
    if not all(name and name.isascii() for name in names):
        found[:] = True
        return found
    wanted = joined(name.encode() for name in names)
    begins = np.zeros(256, np.bool_)  # whether one of them may begin with this byte
    begins[[BACKSLASH, *(ord(name[0]) for name in names)]] = True
    _mark_lines_with(lines.data, lines.starts, lines.stops, wanted.data, wanted.spans, begins, found)
    return found


def append_fields(
    lines: LinesOriginal, columns: Mapping[str, Rendered], rows: Offsets, made: Bytes, offsets: Offsets
) -> LinesOriginal:
    """Lines with fields added at their end, but for some that are made already.

    Args:
        lines: n JSON objects.
        columns: n values for each field name.
        rows: int64[m], ascending, the lines that are made.
        made: uint8, their bytes.
        offsets: int64[m+1], where each of them begins and ends.
    """
    n = len(lines)
    keys, values = joined(map(key_of, columns)), _side_by_side(list(columns.values()))
    ends, is_empty = np.empty(n, np.int64), np.empty(n, np.bool_)
    _find_ends(lines.data, lines.starts, lines.stops, ends, is_empty)
    size = int(
        (ends - lines.starts).sum() + np.diff(values.spans).sum() + n * (len(keys.data) + len(columns) + 2)
    )
    size += len(made)
    out, starts, stops = np.empty(size, np.uint8), np.empty(n, np.int64), np.empty(n, np.int64)
    body = (lines.data, lines.starts, ends, is_empty)
    fields = (keys.data, keys.spans, values.data, values.spans)
    _append(*body, *fields, rows, made, offsets, out, starts, stops)
    return LinesOriginal(out[: stops[-1] + 1] if n else out, starts, stops)


def _side_by_side(columns: Sequence[Rendered]) -> Rendered:
    """Several columns as one, with spans int64[n, columns, 2]."""
    bases = np.cumsum([0, *(len(column.data) for column in columns)])
    spans = [column.spans + base for column, base in zip(columns, bases, strict=False)]
    return Rendered(np.concatenate([column.data for column in columns]), np.stack(spans, axis=1))


@kernel
def _mark_lines_with(  # noqa: PLR0917
    data: Any, starts: Any, stops: Any, names: Any, spans: Any, begins: Any, found: Any
) -> None:
    for row in range(len(starts)):
        found[row] = _has_name(data, starts[row], stops[row], names, spans, begins)


@kernel
def _has_name(data: Any, i: int, stop: int, names: Any, spans: Any, begins: Any) -> bool:  # noqa: PLR0917
    """Whether one of the names stands between quotes in ``data[i:stop]``."""
    while i < stop:
        if i + WIDTH <= len(data):
            mask = quote_mask(data, i)
            while mask:
                at = i + first_bit(mask) + 1
                mask &= mask - np.uint64(1)
                if at < stop and begins[data[at]] and _is_name(data, at, stop, names, spans):
                    return True
            i += WIDTH
        else:
            i += 1
            if data[i - 1] == QUOTE and _is_name(data, i, stop, names, spans):
                return True
    return False


@kernel
def _is_name(data: Any, i: int, stop: int, names: Any, spans: Any) -> bool:
    for k in range(len(spans)):  # noqa: SIM110 - compiled, as a generator could not be
        if spells(data, i, stop, names[spans[k, 0] : spans[k, 1]]):
            return True
    return False


@kernel
def _find_ends(data: Any, starts: Any, stops: Any, ends: Any, is_empty: Any) -> None:
    """Where the last member of each object ends, or after its opening brace if it has none."""
    for row in range(len(starts)):
        brace = _before_space(data, starts[row], stops[row]) - 1
        end = _before_space(data, starts[row], brace)
        ends[row] = end
        is_empty[row] = data[end - 1] == 123 and _before_space(data, starts[row], end - 1) == starts[row]


@kernel
def _before_space(data: Any, start: int, stop: int) -> int:
    while stop > start and data[stop - 1] in (32, 9, 10, 11, 12, 13):
        stop -= 1
    return stop


@kernel
def _append(  # noqa: PLR0917
    data: Any,
    starts: Any,
    ends: Any,
    is_empty: Any,
    keys: Any,
    key_spans: Any,
    values: Any,
    value_spans: Any,
    rows: Any,
    made: Any,
    made_offsets: Any,
    out: Any,
    out_starts: Any,
    out_stops: Any,
) -> None:
    o = 0
    m = 0
    for row in range(len(starts)):
        out_starts[row] = o
        if m < len(rows) and rows[m] == row:
            copy_bytes(made, made_offsets[m], made_offsets[m + 1], out, o)
            o += made_offsets[m + 1] - made_offsets[m]
            m += 1
        else:
            copy_bytes(data, starts[row], ends[row], out, o)
            o += ends[row] - starts[row]
            for c in range(len(key_spans)):
                if c or not is_empty[row]:
                    out[o] = 44
                    o += 1
                o = _put(keys, key_spans[c, 0], key_spans[c, 1], out, o)
                o = _put(values, value_spans[row, c, 0], value_spans[row, c, 1], out, o)
            out[o] = 125
            o += 1
        out_stops[row] = o
        out[o] = 10
        o += 1


@kernel
def _put(source: Any, begin: int, end: int, out: Any, o: int) -> int:
    """Copy a few bytes; the position after them."""
    for i in range(begin, end):
        out[o] = source[i]
        o += 1
    return o
