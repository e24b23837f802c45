# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Lines and paragraphs on the CPU.

The places of all newlines are found first, block by block. Only the ends of a line are then looked
at, and its characters are counted only where its bytes do not settle whether it is long enough.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.segments.contract import BLANK, COMPARED, SHORT

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

_NEWLINE, _RETURN, _SPACE = 10, 13, np.uint32(0x20)
_BLANK, _SHORT, _COMPARED = np.uint8(BLANK), np.uint8(SHORT), np.uint8(COMPARED)
_LONGEST = 4  # bytes of a character
_BLOCK = 64
_8, _LOW = np.uint32(8), np.uint32(0xFF)


class SpaceTables(NamedTuple):
    """The tables that take white space, and nothing else, to U+0020."""

    stage1: npt.NDArray[np.uint16]
    stage2: npt.NDArray[np.uint32]


@kernel
def count_newlines(data: Bytes, start: int, stop: int) -> int:
    """Newlines among ``data[start:stop]``; those of a block are added up in a byte, in vector lanes."""
    count, blocks = 0, (stop - start) // _BLOCK
    for number in range(blocks):
        block, of_block = data[start + number * _BLOCK :], np.uint8(0)
        for i in range(_BLOCK):
            of_block = np.uint8(of_block + np.uint8(block[i] == _NEWLINE))
        count += int(of_block)
    for byte in data[start + blocks * _BLOCK : stop]:
        count += byte == _NEWLINE
    return count


@kernel
def find_newlines(data: Bytes, start: int, stop: int, places: Places) -> None:
    """Their places; ``places`` has one entry more than there are. Most blocks of prose have none."""
    at, blocks = np.uint64(0), (stop - start) // _BLOCK
    for number in range(blocks):
        begin = start + number * _BLOCK
        block, seen = data[begin : begin + _BLOCK], np.uint8(0)
        for i in range(_BLOCK):
            seen |= np.uint8(block[i] == _NEWLINE)
        if seen:
            at = _add_newlines(block, begin, places, at)
    rest = start + blocks * _BLOCK
    _add_newlines(data[rest:stop], rest, places, at)


@kernel
def _add_newlines(block: Bytes, begin: int, places: Places, at: np.uint64) -> np.uint64:
    for i in range(len(block)):
        places[at] = begin + i
        at += np.uint64(block[i] == _NEWLINE)
    return at


@kernel
def split_lines(
    data: Bytes,
    offsets: Places,
    newlines: Places,
    tables: SpaceTables,
    min_length: int,
    starts: Places,
    stops: Places,
    kinds: Bytes,
    firsts: Places,
) -> None:
    """Fill the segments with lines. ``newlines`` ends with the end of the text."""
    count = newline = 0
    for document in range(len(offsets) - 1):
        begin, end = offsets[document], offsets[document + 1]
        while begin < end:
            after, stop = _line_end(data, begin, end, newlines[newline])
            newline += newlines[newline] < end
            first = _skip_spaces(data, begin, stop, tables)
            last = _trim_spaces(data, first, stop, tables)
            starts[count], stops[count] = begin, stop
            kinds[count] = _kind(data, first, last, min_length)
            count += 1
            begin = after
        firsts[document + 1] = count


@kernel
def join_lines(
    data: Bytes,
    offsets: Places,
    newlines: Places,
    tables: SpaceTables,
    min_length: int,
    starts: Places,
    stops: Places,
    kinds: Bytes,
    firsts: Places,
) -> None:
    """Fill the segments with paragraphs; arguments as :func:`split_lines`."""
    count = newline = 0
    for document in range(len(offsets) - 1):
        begin, end = offsets[document], offsets[document + 1]
        first_character, is_open = begin, False
        while begin < end:
            after, stop = _line_end(data, begin, end, newlines[newline])
            newline += newlines[newline] < end
            first = _skip_spaces(data, begin, stop, tables)
            if first == stop:
                count += is_open
                is_open = False
            else:
                if not is_open:
                    starts[count], first_character, is_open = begin, first, True
                stops[count] = stop
                last = _trim_spaces(data, first, stop, tables)
                kinds[count] = _kind(data, first_character, last, min_length)
            begin = after
        count += is_open
        firsts[document + 1] = count


@kernel
def _line_end(data: Bytes, begin: int, end: int, newline: int) -> tuple[int, int]:
    """Where the next line begins, and where this one ends, of a document that ends at ``end``."""
    if newline >= end:
        return end, end
    is_pair = newline > begin and data[newline - 1] == _RETURN
    return newline + 1, newline - is_pair


@kernel
def _skip_spaces(data: Bytes, begin: int, stop: int, tables: SpaceTables) -> int:
    """The first byte that is not of white space, or ``stop``."""
    while begin < stop:
        byte = data[begin]
        if byte >= 0x80:
            width = _wide_space(data, begin, stop, tables)
            if width == 0:
                return begin
            begin += width
        elif byte == 32 or 9 <= byte <= 13:
            begin += 1
        else:
            return begin
    return stop


@kernel
def _trim_spaces(data: Bytes, begin: int, stop: int, tables: SpaceTables) -> int:
    """The end of what precedes the white space at the end; ``data[begin]`` is none."""
    while begin < stop:
        byte = data[stop - 1]
        if byte >= 0x80:
            start = stop - 1
            while data[start] & 0xC0 == 0x80:
                start -= 1
            if _wide_space(data, start, stop, tables) == 0:
                return stop
            stop = start
        elif byte == 32 or 9 <= byte <= 13:
            stop -= 1
        else:
            return stop
    return stop


@kernel
def _wide_space(data: Bytes, at: int, stop: int, tables: SpaceTables) -> int:
    """Bytes of the white space outside ASCII at ``at``; 0 if there is none. It takes two or three."""
    lead = data[at]
    if lead == 0xC2:
        width, point = 2, np.uint32(data[at + 1])  # U+0080..U+00BF: the second byte is the code point
    elif 0xE1 <= lead <= 0xE3:
        width = 3
        point = np.uint32((lead & 0x0F) << 12 | (data[at + 1] & 0x3F) << 6 | (data[at + 2] & 0x3F))
    else:
        return 0
    block = np.uint32(tables.stage1[point >> _8])
    is_space = np.uint32(point + tables.stage2[(block << _8) | (point & _LOW)]) == _SPACE
    return width if is_space else 0


@kernel
def _kind(data: Bytes, first: int, last: int, min_length: int) -> np.uint8:
    """The kind of what has its first and last visible character at the ends of ``data[first:last]``."""
    if first == last:
        return _BLANK
    if last - first < min_length:
        return _SHORT
    if last - first >= _LONGEST * min_length:
        return _COMPARED
    length = 0
    for byte in data[first:last]:
        length += (byte & 0xC0) != 0x80
    return _COMPARED if length >= min_length else _SHORT
