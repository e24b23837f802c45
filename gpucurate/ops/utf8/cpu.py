"""Decoding of UTF-8 in pieces that stay in the first-level cache.

A piece of ASCII is widened. Any other piece is decoded at every byte offset as if a
character began there, which vectorises whatever the script; then the offsets that do begin
one are kept, without a branch. So the speed depends neither on the script nor on how often
it changes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel

PIECE = 1024
"""Bytes of text decoded at a time; a piece ends at a character, so 3 bytes may follow."""

PADDING = 64
"""Room after the bytes of a piece, which decoding reads and ignores."""

_6, _12, _18 = np.uint32(6), np.uint32(12), np.uint32(18)


@kernel
def piece_end(data: npt.NDArray[np.uint8], start: int, stop: int) -> int:
    """Where the piece that begins at ``start`` ends: after PIECE bytes, at a character."""
    end = start + PIECE
    if end >= stop:
        return stop
    while end < stop and (data[end] & 0xC0) == 0x80:
        end += 1
    return end


@kernel
def load_piece(data: npt.NDArray[np.uint8], start: int, end: int, piece: npt.NDArray[np.uint8]) -> bool:
    """Copy ``data[start:end]`` to the front of ``piece``; whether all of it is ASCII."""
    seen = np.uint8(0)
    for i in range(end - start):
        byte = data[start + i]
        piece[i] = byte
        seen |= byte
    return bool(seen < 0x80)


@kernel
def widen(piece: npt.NDArray[np.uint8], count: int, out: npt.NDArray[np.uint32], at: int) -> None:
    """The code points of ASCII: ``out[at:at+count]``."""
    for i in range(count):
        out[at + i] = np.uint32(piece[i])


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
    for i in range(count):
        out[at] = scratch[i]
        at += (piece[i] & 0xC0) != 0x80
    return at
