"""Validating JSON lines and finding the values of a few fields, without leaving compiled code.

Grammar: RFC 8259. What passes, and what is found: the contract.
"""

from __future__ import annotations

from typing import Any

from gpucurate.ops.compiled import kernel
from gpucurate.ops.json_lines.characters import BAD
from gpucurate.ops.json_lines.contract import (
    BEGIN,
    DEEPEST,
    END,
    ESCAPED,
    KIND,
    MISSING,
    NULL,
    OTHER,
    PLAIN,
    SIZE,
)
from gpucurate.ops.json_lines.values import copy_string, string_end

_MAX_INT_DIGITS = 18

_EXPECT_VALUE, _AFTER_OPEN_OBJECT, _EXPECT_KEY, _AFTER_OPEN_ARRAY, _AFTER_VALUE = 0, 1, 2, 3, 4


@kernel
def _number_end(data: Any, i: int, stop: int) -> int:
    """End of the number at ``i``; -1 if it is none, or has many digits or a large exponent.

    What is refused here may be rounded or overflow: orjson and the exact parser decide.
    """
    if data[i] == 45:
        i += 1
    first = i
    while i < stop and 48 <= data[i] <= 57:
        i += 1
    if i == first or i - first > _MAX_INT_DIGITS or (data[first] == 48 and i - first > 1):
        return BAD
    if i < stop and data[i] == 46:
        i += 1
        first = i
        while i < stop and 48 <= data[i] <= 57:
            i += 1
        if i == first:
            return BAD
    if i < stop and data[i] in (69, 101):
        i += 1
        if i < stop and data[i] in (43, 45):
            i += 1
        first = i
        while i < stop and 48 <= data[i] <= 57:
            i += 1
        if i == first or i - first > 2:
            return BAD
    return i


@kernel
def _literal_end(data: Any, i: int, stop: int) -> int:
    """End of true, false or null at ``i``, or -1."""
    if i + 4 <= stop:
        if data[i] == 116 and data[i + 1] == 114 and data[i + 2] == 117 and data[i + 3] == 101:
            return i + 4
        if data[i] == 110 and data[i + 1] == 117 and data[i + 2] == 108 and data[i + 3] == 108:
            return i + 4
    is_false = i + 5 <= stop and data[i] == 102 and data[i + 1] == 97 and data[i + 2] == 108
    return i + 5 if is_false and data[i + 3] == 115 and data[i + 4] == 101 else BAD


@kernel
def _field_of(data: Any, start: int, stop: int, keys: Any, key_offsets: Any) -> int:
    """Which of the wanted fields has the name ``data[start:stop]``, or -1."""
    for f in range(len(key_offsets) - 1):
        at = key_offsets[f]
        if key_offsets[f + 1] - at != stop - start:
            continue
        k = 0
        while k < stop - start and data[start + k] == keys[at + k]:
            k += 1
        if k == stop - start:
            return f
    return BAD


@kernel
def _key_end(data: Any, i: int, stop: int, keys: Any, key_offsets: Any, found: Any) -> tuple[int, int]:  # noqa: PLR0917
    """Position after the colon of the name whose quote is at ``i``, and which field it names or -1.

    (-1, -1) if it is unusual: written with escapes, so that it may be a wanted name in
    disguise, or a wanted name for the second time, of which the last wins.
    """
    end, saved = string_end(data, i + 1, stop)
    if end < 0 or saved:
        return BAD, BAD
    field = _field_of(data, i + 1, end, keys, key_offsets)
    if field >= 0 and found[field, KIND] != MISSING:
        return BAD, BAD
    i = end + 1
    while i < stop and data[i] in (32, 9, 13):
        i += 1
    return (i + 1, field) if i < stop and data[i] == 58 else (BAD, BAD)


@kernel
def _scan_line(  # noqa: PLR0912, PLR0915, PLR0917 - one state machine
    data: Any,
    i: int,
    stop: int,
    keys: Any,
    key_offsets: Any,
    only: bool,
    max_depth: int,
    found: Any,
    text: int,
    out: Any,
    o: int,
) -> int:
    """Validate one line and note where the wanted fields are; -1 if it is unusual.

    The value of field ``text``, if it is a string, is copied to ``out[o:]``; the end of the copy.
    """
    depth = 0
    objects = 0  # one bit per level: whether it is an object
    state = _EXPECT_VALUE
    field = BAD  # whose value is being read, at any depth
    while i < stop:
        c = data[i]
        if c in (32, 9, 13):
            i += 1
            continue
        if (c == 125 and state == _AFTER_OPEN_OBJECT) or (c == 93 and state == _AFTER_OPEN_ARRAY):
            state = _AFTER_VALUE  # empty: closed below
        if state == _AFTER_VALUE:
            in_object = (objects >> depth) & 1
            if depth > 0 and c == 44:
                state = _EXPECT_KEY if in_object else _EXPECT_VALUE
            elif depth > 0 and c == (125 if in_object else 93):
                depth -= 1
                if depth == 1 and field >= 0:
                    found[field, END] = i + 1
            else:
                return BAD
            i += 1
        elif state in (_EXPECT_KEY, _AFTER_OPEN_OBJECT):
            if c != 34:
                return BAD
            if depth == 1:
                i, field = _key_end(data, i, stop, keys, key_offsets, found)
                if only and field < 0:
                    return BAD
            else:
                i, _ = _key_end(data, i, stop, keys, key_offsets[:1], found)
            if i < 0:
                return BAD
            state = _EXPECT_VALUE
        elif c in (123, 91):
            if depth == 1 and field >= 0:
                found[field, KIND] = OTHER
                found[field, BEGIN] = i
            depth += 1
            if depth > max_depth or depth > DEEPEST or (depth == 1 and c == 91):
                return BAD
            bit = 1 << depth
            objects = (objects | bit) if c == 123 else (objects & ~bit)
            state = _AFTER_OPEN_OBJECT if c == 123 else _AFTER_OPEN_ARRAY
            i += 1
        elif depth == 0:
            return BAD
        elif c == 34:
            if depth == 1 and field == text and text >= 0:
                end, copied = copy_string(data, i + 1, stop, out, o)
                saved = end - i - 1 - (copied - o)
                o = copied
            else:
                end, saved = string_end(data, i + 1, stop)
            if end < 0:
                return BAD
            if depth == 1 and field >= 0:
                found[field, KIND] = ESCAPED if saved else PLAIN
                found[field, BEGIN] = i + 1
                found[field, END] = end
                found[field, SIZE] = end - i - 1 - saved
            i = end + 1
            state = _AFTER_VALUE
        else:
            is_number = c == 45 or 48 <= c <= 57
            end = _number_end(data, i, stop) if is_number else _literal_end(data, i, stop)
            if end < 0:
                return BAD
            if depth == 1 and field >= 0:
                found[field, KIND] = NULL if c == 110 else OTHER
                found[field, BEGIN] = i
                found[field, END] = end
            i = end
            state = _AFTER_VALUE
    return o if depth == 0 and state == _AFTER_VALUE else BAD


@kernel
def scan_lines(  # noqa: PLR0917
    data: Any,
    starts: Any,
    stops: Any,
    keys: Any,
    key_offsets: Any,
    only: bool,
    max_depth: int,
    found: Any,
    passed: Any,
    text: int,
    out: Any,
    offsets: Any,
) -> None:
    """Scan each line for ``f`` wanted fields, and copy the strings of one of them.

    Args:
        data: uint8, the bytes.
        starts: int64[n], first byte of each line.
        stops: int64[n], end of each line.
        keys: uint8, the wanted names one after the other, in UTF-8.
        key_offsets: int64[f+1] into ``keys``.
        only: whether a line with another field does not pass.
        max_depth: deeper lines do not pass.
        found: int64[n, f, 4], zeros. Becomes what the contract says.
        passed: bool[n]; becomes whether the line is well-formed and usual.
        text: number of the field whose strings are copied; -1 for none.
        out: uint8, room for the strings and 64 bytes more. Receives the strings, without escapes,
            of the lines that pass.
        offsets: int64[n+1], the first 0. Becomes where in ``out`` each line's string begins and ends.
    """
    for row in range(len(starts)):
        at = offsets[row]
        end = _scan_line(
            data, starts[row], stops[row], keys, key_offsets, only, max_depth, found[row], text, out, at
        )
        passed[row] = end >= 0
        if end < 0:
            found[row] = 0
        offsets[row + 1] = end if end >= 0 else at
