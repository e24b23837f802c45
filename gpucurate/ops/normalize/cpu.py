# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Normalisation on the CPU, by blocks of which most are ASCII."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import read_only, text_arrays
from gpucurate.ops.compiled import kernel
from gpucurate.ops.unicode import unicode_tables
from gpucurate.ops.utf8.cpu import PADDING, decode, encode, load_piece, piece_end

_BLOCK = 128
_GROWING_LEAD = np.uint8(0xC8)  # of U+023A and U+023E, whose lower case takes one byte more
_SPACE_BYTE = np.uint8(0x20)
_SPACE_POINT, _8, _LOW = np.uint32(0x20), np.uint32(8), np.uint32(0xFF)


class _Tables(NamedTuple):
    stage1: npt.NDArray[np.uint16]
    stage2: npt.NDArray[np.uint32]


class _Scratch(NamedTuple):
    piece: npt.NDArray[np.uint8]
    marks: npt.NDArray[np.uint8]
    points: npt.NDArray[np.uint32]
    decoded: npt.NDArray[np.uint32]


def normalize(text: TextBuffers) -> TextBuffers:
    """See the contract."""
    data, offsets = text_arrays(text)
    unicode = unicode_tables()
    tables = _Tables(read_only(unicode.normal_stage1, np.uint16), read_only(unicode.normal_stage2, np.uint32))
    room = _BLOCK + PADDING
    scratch = _Scratch(
        piece=np.zeros(room, np.uint8),
        marks=np.zeros(room, np.uint8),
        points=np.zeros(room, np.uint32),
        decoded=np.zeros(room, np.uint32),
    )
    out = np.empty(_capacity(data, offsets[0], offsets[-1]), np.uint8)
    out_offsets = np.zeros(len(offsets), np.int64)
    _normalize_documents(data, offsets, tables, scratch, out, out_offsets)
    return TextBuffers(out[: out_offsets[-1]], out_offsets, text.valid)


@kernel
def _capacity(data: npt.NDArray[np.uint8], start: int, stop: int) -> int:
    """Room for the result, and for the block that is written before it is cut to size."""
    growing = 0
    for byte in data[start:stop]:
        growing += byte == _GROWING_LEAD
    return stop - start + growing + _BLOCK + PADDING


@kernel
def _normalize_documents(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    tables: _Tables,
    scratch: _Scratch,
    out: npt.NDArray[np.uint8],
    out_offsets: npt.NDArray[np.int64],
) -> None:
    at = 0
    for i in range(len(offsets) - 1):
        start, stop, after_space = offsets[i], offsets[i + 1], True
        while start < stop:
            end = piece_end(data, start, stop, _BLOCK)
            if load_piece(data, start, end, scratch.piece):
                at, after_space = _ascii_block(end - start, after_space, scratch, out, at)
            else:
                at, after_space = _unicode_block(end - start, after_space, tables, scratch, out, at)
            start = end
        if after_space and at > out_offsets[i]:
            at -= 1
        out_offsets[i + 1] = at


@kernel
def _is_ascii_space(byte: np.uint8) -> bool:
    return (byte == 32) | ((byte >= 9) & (byte <= 13))  # type: ignore[no-any-return]


@kernel
def _ascii_block(
    count: int, after_space: bool, scratch: _Scratch, out: npt.NDArray[np.uint8], at: int
) -> tuple[int, bool]:
    """Write a block of ASCII, then close the gaps if white space followed white space."""
    piece, marks, target = scratch.piece, scratch.marks, out[at:]
    gaps = np.uint8(0)
    for i in range(count):
        byte = piece[i]
        is_space = _is_ascii_space(byte)
        lower = byte | np.uint8(0x20) if (byte >= 65) & (byte <= 90) else byte
        target[i] = _SPACE_BYTE if is_space else lower
        marks[i + 1] = is_space
    marks[0] = after_space
    before, here = marks, marks[1:]
    for i in range(count):
        gaps |= before[i] & here[i]
    if gaps:
        return _close_gaps(count, before, here, target, at), marks[count] != 0
    return at + count, marks[count] != 0


@kernel
def _close_gaps(
    count: int,
    before: npt.NDArray[np.uint8],
    here: npt.NDArray[np.uint8],
    target: npt.NDArray[np.uint8],
    at: int,
) -> int:
    place = np.uint64(0)
    for i in range(count):
        target[place] = target[i]
        place += np.uint64((before[i] & here[i]) == 0)
    return at + np.int64(place)  # type: ignore[return-value]


@kernel
def _unicode_block(
    count: int,
    after_space: bool,
    tables: _Tables,
    scratch: _Scratch,
    out: npt.NDArray[np.uint8],
    at: int,
) -> tuple[int, bool]:
    points, kept = scratch.points, np.uint64(0)
    found = decode(scratch.piece, count, scratch.decoded, points, 0)
    for i in range(found):
        point = points[i]
        block = np.uint32(tables.stage1[point >> _8])
        point = np.uint32(point + tables.stage2[(block << _8) | (point & _LOW)])
        is_space = point == _SPACE_POINT
        points[kept] = point
        kept += np.uint64(not (is_space & after_space))
        after_space = is_space
    count = np.int64(kept)  # type: ignore[assignment]
    return encode(points, count, scratch.decoded, scratch.marks, out, at), after_space
