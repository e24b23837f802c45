"""Characters of JSON strings: escapes, in compiled code (RFC 8259, section 7)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.ops.compiled import kernel

BAD = -1
QUOTE, BACKSLASH, SPACE = 34, 92, 32

SIMPLE_ESCAPES = np.zeros(256, np.uint8)
"""What the letter after a backslash stands for; 0 where it is none of the short escapes."""
for _letter, _meant in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
    SIMPLE_ESCAPES[_letter] = _meant


@kernel
def hex4(data: Any, i: int) -> int:
    """The code unit of four hexadecimal digits at ``i``, or -1."""
    unit = 0
    for k in range(4):
        c = data[i + k]
        if 48 <= c <= 57:
            digit = c - 48
        elif 97 <= c <= 102:
            digit = c - 87
        elif 65 <= c <= 70:
            digit = c - 55
        else:
            return BAD
        unit = unit * 16 + digit
    return unit


@kernel
def escape_length(data: Any, i: int, stop: int) -> tuple[int, int]:
    """Length of the escape whose backslash is at ``i``, and bytes it stands for; (0, 0) if unusual."""
    if i + 1 >= stop:
        return 0, 0
    c = data[i + 1]
    if SIMPLE_ESCAPES[c]:
        return 2, 1
    if c != 117 or i + 6 > stop:  # u
        return 0, 0
    unit = hex4(data, i + 2)
    if unit < 0:
        return 0, 0
    if unit < 0x80:
        return 6, 1
    if unit < 0x800:
        return 6, 2
    if unit < 0xD800 or unit > 0xDFFF:
        return 6, 3
    if unit > 0xDBFF or i + 12 > stop or data[i + 6] != 92 or data[i + 7] != 117:
        return 0, 0
    second = hex4(data, i + 8)
    if second < 0xDC00 or second > 0xDFFF:
        return 0, 0
    return 12, 4


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
def put_escape(data: Any, i: int, length: int, out: Any, o: int) -> int:
    """Write what the escape of ``length`` bytes at ``i`` stands for to ``o``; the position after it."""
    if length == 2:
        out[o] = SIMPLE_ESCAPES[data[i + 1]]
        return o + 1
    code = hex4(data, i + 2)
    if length == 12:
        code = 0x10000 + ((code - 0xD800) << 10) + (hex4(data, i + 8) - 0xDC00)
    return _put_character(out, o, code)


@kernel
def spells(data: Any, i: int, stop: int, name: Any) -> bool:
    """Whether the string whose first byte is at ``i`` is ``name`` (uint8, ASCII), escaped or not."""
    for k in range(len(name)):
        if i + 1 >= stop:
            return False
        if data[i] != BACKSLASH:
            if data[i] != name[k]:
                return False
            i += 1
        elif data[i + 1] != 117:
            if SIMPLE_ESCAPES[data[i + 1]] != name[k]:
                return False
            i += 2
        else:
            if i + 6 > stop or hex4(data, i + 2) != name[k]:
                return False
            i += 6
    return i < stop and data[i] == QUOTE
