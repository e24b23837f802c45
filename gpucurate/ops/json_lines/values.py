"""JSON strings in compiled code: where one ends, and its bytes without escapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.ops.compiled import kernel
from gpucurate.ops.json_lines.characters import (
    BACKSLASH,
    BAD,
    QUOTE,
    SIMPLE_ESCAPES,
    SPACE,
    escape_length,
    put_escape,
)
from gpucurate.ops.json_lines.simd import WIDTH, backslash_mask, copy_block, first_bit, special_mask
from gpucurate.ops.utf8.validity import sequence_length


@kernel
def string_end(data: Any, i: int, stop: int) -> tuple[int, int]:
    """Position of the closing quote of the string whose first byte is at ``i``, and what escapes save.

    The second number is the bytes by which the string is shorter without escapes. (-1, 0) if
    the string is unusual.
    """
    saved = 0
    while i < stop:
        c = data[i]
        if c > 127:
            length = sequence_length(data, i, stop)
            if length == 0:
                return BAD, 0
            i += length
        elif c == 92:
            length, stands_for = escape_length(data, i, stop)
            if length == 0:
                return BAD, 0
            saved += length - stands_for
            i += length
        elif c == 34:
            return i, saved
        elif c < 32:
            return BAD, 0
        elif i + WIDTH <= stop:
            i += first_bit(special_mask(data, i))
        else:
            i += 1
    return BAD, 0


@kernel
def unescape(data: Any, i: int, stop: int, out: Any, o: int) -> None:
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
        else:
            length, _ = escape_length(data, i, stop)
            o = put_escape(data, i, length, out, o)
            i += length


@kernel
def copy_string(data: Any, i: int, stop: int, out: Any, o: int) -> tuple[int, int]:
    """Validate and copy, at once, the string whose first byte is at ``i``.

    Returns the position of its closing quote, and where its copy without escapes, from ``out[o]``
    on, ends; (-1, ``o``) if the string is unusual. ``out`` has a block of room behind the last string.
    """
    while i + 2 * WIDTH <= len(data):
        # Never beyond the line: what ends it is a control character. What is copied too much is
        # overwritten. One mask serves for all that is special in a block.
        block = i
        mask = special_mask(data, block)
        while i < block + WIDTH:
            copy_block(data, i, out, o)
            copied = i + WIDTH
            rest = mask >> np.uint64(i - block)
            run = first_bit(rest) if rest else block + WIDTH - i
            i += run
            o += run
            if rest:
                i, o = _copy_special(data, i, stop, copied, out, o)
                if i < 0 or data[i] == QUOTE:
                    return i, o
    while i < stop and data[i] != QUOTE:
        i, o = _copy_special(data, i, stop, i, out, o)
        if i < 0:
            return BAD, o
    return (i, o) if i < stop else (BAD, o)


@kernel
def _copy_special(  # noqa: PLR0917
    data: Any, i: int, stop: int, copied: int, out: Any, o: int
) -> tuple[int, int]:
    """Validate and copy the character or escape at ``i``, of non-ASCII ones all that begin before ``copied``.

    (-1, ``o``) if it is unusual. A quote is left where it is.
    """
    c = data[i]
    if c == BACKSLASH:
        simple = SIMPLE_ESCAPES[data[i + 1]] if i + 1 < stop else np.uint8(0)
        if simple:
            out[o] = simple
            return i + 2, o + 1
        length, _ = escape_length(data, i, stop)
        return (i + length, put_escape(data, i, length, out, o)) if length else (BAD, o)
    if c == QUOTE:
        return i, o
    if c < SPACE:
        return BAD, o
    if c < 128:
        out[o] = c
        return i + 1, o + 1
    return _copy_characters(data, i, stop, copied, out, o)


@kernel
def _copy_characters(  # noqa: PLR0917
    data: Any, i: int, stop: int, copied: int, out: Any, o: int
) -> tuple[int, int]:
    """Validate and copy the non-ASCII characters at ``i``, of those that begin before ``copied`` all."""
    while True:
        length = sequence_length(data, i, stop)
        if length == 0:
            return BAD, o
        if i + length > copied:
            for k in range(length):
                out[o + k] = data[i + k]
        i += length
        o += length
        if i >= copied or data[i] < 128:
            return i, o
