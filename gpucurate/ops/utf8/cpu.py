# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Decoding and encoding of UTF-8 in pieces that stay in the first-level cache.

A piece of ASCII is widened. Any other piece is decoded at every byte offset as if a
character began there, which vectorises whatever the script; then the offsets that do begin
one are kept, without a branch. So the speed depends neither on the script nor on how often
it changes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.utf8.validity import invalid_utf8  # noqa: F401 - the contract looks for it here

PIECE = 1024
"""Bytes of text that most operations take at a time."""

PADDING = 64
"""Room after the bytes of a piece, which decoding reads and ignores."""

_6, _8, _12, _16, _18, _24 = (np.uint32(bits) for bits in (6, 8, 12, 16, 18, 24))


@kernel
def piece_end(data: npt.NDArray[np.uint8], start: int, stop: int, size: int) -> int:
    """Where the piece that begins at ``start`` ends: after ``size`` bytes and up to 3, at a character."""
    end = start + size
    if end >= stop:
        return stop
    while end < stop and (data[end] & 0xC0) == 0x80:
        end += 1
    return end


@kernel
def load_piece(data: npt.NDArray[np.uint8], start: int, end: int, piece: npt.NDArray[np.uint8]) -> bool:
    """Copy ``data[start:end]`` to the front of ``piece``; whether all of it is ASCII."""
    seen, source = np.uint8(0), data[start:end]
    for i in range(len(source)):
        byte = source[i]
        piece[i] = byte
        seen |= byte
    return bool(seen < 0x80)


@kernel
def whole_vectors(count: int) -> int:
    """``count`` rounded up to what a vectorised loop takes without a scalar rest.

    Short documents would spend their time in that rest. The arrays have ``PADDING`` to spare.
    """
    return (count + 63) & ~63


@kernel
def widen(piece: npt.NDArray[np.uint8], count: int, out: npt.NDArray[np.uint32], at: int) -> None:
    """The code points of ASCII: ``out[at:at+count]``."""
    target = out[at:]
    for i in range(whole_vectors(count)):
        target[i] = np.uint32(piece[i])


@kernel
def decode(
    piece: npt.NDArray[np.uint8],
    count: int,
    scratch: npt.NDArray[np.uint32],
    out: npt.NDArray[np.uint32],
    at: int,
) -> int:
    """Decode whole characters.

    Args:
        piece: at least ``count + 3`` bytes, of which the first ``count`` are the text.
        count: number of bytes.
        scratch: at least ``count`` entries.
        out: receives the code points from index ``at`` on.
        at: see ``out``; the entry after the last code point may be overwritten.

    Returns:
        ``at`` plus the number of code points.
    """
    first, second, third, fourth = piece[0:], piece[1:], piece[2:], piece[3:]
    for i in range(count):
        a, b = np.uint32(first[i]), np.uint32(second[i] & 0x3F)
        c, d = np.uint32(third[i] & 0x3F), np.uint32(fourth[i] & 0x3F)
        two = np.uint32(((a & np.uint32(0x1F)) << _6) | b)
        three = np.uint32(((a & np.uint32(0x0F)) << _12) | (b << _6) | c)
        four = np.uint32(((a & np.uint32(0x07)) << _18) | (b << _12) | (c << _6) | d)
        long = four if a >= 0xF0 else three
        short = two if a >= 0xC0 else a
        scratch[i] = long if a >= 0xE0 else short
    place = np.uint64(at)  # numba checks a signed index for being negative
    for i in range(count):
        out[place] = scratch[i]
        place += np.uint64((piece[i] & 0xC0) != 0x80)
    return np.int64(place)  # type: ignore[return-value]


@kernel
def encode(
    points: npt.NDArray[np.uint32],
    count: int,
    packed: npt.NDArray[np.uint32],
    lengths: npt.NDArray[np.uint8],
    out: npt.NDArray[np.uint8],
    at: int,
) -> int:
    """Encode code points.

    Args:
        points: uint32, the code points.
        count: how many.
        packed, lengths: scratch of at least ``count``.
        out: receives the bytes from index ``at`` on; 4 bytes are written for each code point,
            so 3 bytes after the last are overwritten.
        at: see ``out``.

    Returns:
        ``at`` plus the number of bytes.
    """
    for i in range(count):
        point = points[i]
        last, third = _trail(point), _trail(np.uint32(point >> _6))
        second, first = _trail(np.uint32(point >> _12)), np.uint32(0xF0) | (point >> _18)
        two = np.uint32(np.uint32(0xC0) | (point >> _6)) | (last << _8)
        three = np.uint32(np.uint32(0xE0) | (point >> _12)) | (third << _8) | (last << _16)
        four = first | (second << _8) | (third << _16) | (last << _24)
        long, short = four if point >= 0x10000 else three, two if point >= 0x80 else point
        packed[i] = np.uint32(long if point >= 0x800 else short)
        lengths[i] = np.uint8(1) + (point >= 0x80) + (point >= 0x800) + (point >= 0x10000)
    place = np.uint64(at)
    for i in range(count):
        word = packed[i]
        out[place] = np.uint8(word)
        out[place + np.uint64(1)] = np.uint8(word >> _8)
        out[place + np.uint64(2)] = np.uint8(word >> _16)
        out[place + np.uint64(3)] = np.uint8(word >> _24)
        place += np.uint64(lengths[i])
    return np.int64(place)  # type: ignore[return-value]


@kernel
def _trail(bits: np.uint32) -> np.uint32:
    """A continuation byte of the lowest 6 bits."""
    return np.uint32(0x80) | (bits & np.uint32(0x3F))
