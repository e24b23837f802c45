"""MurmurHash3_x86_32 of all windows of a block (A. Appleby, public domain).

The hash mixes 4-byte words and chains them. A word is mixed once for each byte at which it may
begin, and serves every window that contains it there; of ASCII all windows chain at once,
lane by lane.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.text_blocks import ROOM, Block, BlockText
from gpucurate.ops.mixing.cpu import fmix32
from gpucurate.ops.utf8.cpu import PADDING, whole_vectors

_C1, _C2, _ADD = np.uint32(0xCC9E2D51), np.uint32(0x1B873593), np.uint32(0xE6546B64)
_5, _13, _15, _17, _19 = (np.uint32(number) for number in (5, 13, 15, 17, 19))
_8, _16, _24 = np.uint32(8), np.uint32(16), np.uint32(24)
_1, _ALL = np.uint32(1), np.uint32(2**32 - 1)


class Words(NamedTuple):
    """The little-endian word at each byte of a block, as it is and mixed; and hashes of windows."""

    raw: npt.NDArray[np.uint32]
    mixed: npt.NDArray[np.uint32]
    hashes: npt.NDArray[np.uint32]


def words32() -> Words:
    """Room for a block."""
    room = ROOM + PADDING
    return Words(np.zeros(room, np.uint32), np.zeros(room, np.uint32), np.zeros(room, np.uint32))


@kernel
def hash_windows32(text: BlockText, block: Block, seed: np.uint32, words: Words) -> None:
    """Hashes of the windows of a block into ``words.hashes``; 0 becomes 1."""
    if block.windows == 0:
        return
    end = np.int64(text.begins[block.windows - 1 + block.length])
    _read_words(text.piece, end, words)  # type: ignore[arg-type]
    if block.is_ascii:
        _hash_ascii(block, seed, words)
        return
    for i in range(block.windows):
        begin = np.uint64(text.begins[i])
        length = np.uint64(text.begins[i + block.length]) - begin
        words.hashes[i] = _hash_bytes(begin, length, seed, words)


@kernel
def _read_words(piece: npt.NDArray[np.uint8], count: int, words: Words) -> None:
    first, second, third, fourth = piece[0:], piece[1:], piece[2:], piece[3:]
    for i in range(whole_vectors(count)):
        low = np.uint32(first[i]) | (np.uint32(second[i]) << _8)
        word = np.uint32(low | (np.uint32(third[i]) << _16) | (np.uint32(fourth[i]) << _24))
        words.raw[i] = word
        words.mixed[i] = _mix(word)


@kernel
def _mix(word: np.uint32) -> np.uint32:
    word = np.uint32(word * _C1)
    word = np.uint32((word << _15) | (word >> _17))
    return np.uint32(word * _C2)


@kernel
def _chain(state: np.uint32, mixed: np.uint32) -> np.uint32:
    state = np.uint32(state ^ mixed)
    state = np.uint32((state << _13) | (state >> _19))
    return np.uint32(np.uint32(state * _5) + _ADD)


@kernel
def _finish(state: np.uint32, length: np.uint32) -> np.uint32:
    return max(fmix32(np.uint32(state ^ length)), _1)


@kernel
def _hash_ascii(block: Block, seed: np.uint32, words: Words) -> None:
    """All windows of one length: a pass over them for each of its words."""
    hashes, room, length = words.hashes, whole_vectors(block.windows), block.length
    for i in range(room):
        hashes[i] = seed
    whole = length // 4 * 4
    for at in range(0, whole, 4):
        mixed = words.mixed[at:]
        for i in range(room):
            hashes[i] = _chain(hashes[i], mixed[i])
    rest = words.raw[whole:]
    mask = np.uint32((_1 << np.uint32(8 * (length - whole))) - _1)
    size = np.uint32(length)
    for i in range(room):  # an empty rest mixes to 0, which changes nothing
        hashes[i] = _finish(np.uint32(hashes[i] ^ _mix(np.uint32(rest[i] & mask))), size)


@kernel
def _hash_bytes(begin: np.uint64, length: np.uint64, seed: np.uint32, words: Words) -> np.uint32:
    state, at, end = seed, begin, begin + (length & ~np.uint64(3))
    while at < end:
        state = _chain(state, words.mixed[at])
        at += np.uint64(4)
    mask = np.uint32((_1 << np.uint32(np.uint64(8) * (length & np.uint64(3)))) - _1)
    return _finish(np.uint32(state ^ _mix(np.uint32(words.raw[at] & mask))), np.uint32(length))
