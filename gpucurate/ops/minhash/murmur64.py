"""First word of MurmurHash3_x64_128 of all windows of a block (A. Appleby, public domain)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.text_blocks import ROOM, Block, BlockText
from gpucurate.ops.mixing.cpu import fmix64
from gpucurate.ops.utf8.cpu import PADDING

_C1, _C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_ADD1, _ADD2 = np.uint64(0x52DCE729), np.uint64(0x38495AB5)
_1, _5, _8, _16, _64 = (np.uint64(number) for number in (1, 5, 8, 16, 64))
_27, _31, _33 = np.uint64(27), np.uint64(31), np.uint64(33)


class Words(NamedTuple):
    """The little-endian word at each byte of a block, and hashes of windows."""

    raw: npt.NDArray[np.uint64]
    hashes: npt.NDArray[np.uint64]


def words64() -> Words:
    """Room for a block."""
    return Words(np.zeros(ROOM + PADDING, np.uint64), np.zeros(ROOM + PADDING, np.uint64))


@kernel
def hash_windows64(text: BlockText, block: Block, seed: np.uint64, words: Words) -> None:
    """Hashes of the windows of a block into ``words.hashes``; 0 becomes 1."""
    if block.windows == 0:
        return
    end = np.int64(text.begins[block.windows - 1 + block.length])
    _read_words(text.piece, end, words.raw)  # type: ignore[arg-type]
    for i in range(block.windows):
        begin = np.uint64(text.begins[i])
        length = np.uint64(text.begins[i + block.length]) - begin
        words.hashes[i] = _hash_bytes(begin, length, seed, words.raw)


@kernel
def _read_words(piece: npt.NDArray[np.uint8], count: int, raw: npt.NDArray[np.uint64]) -> None:
    word = np.uint64(0)
    for i in range(8):
        word = (word >> _8) | (np.uint64(piece[i]) << np.uint64(56))
    following = piece[8:]
    for i in range(count):
        raw[i] = word
        word = (word >> _8) | (np.uint64(following[i]) << np.uint64(56))


@kernel
def _rotate(word: np.uint64, bits: np.uint64) -> np.uint64:
    return (word << bits) | (word >> (_64 - bits))


@kernel
def _mix_first(word: np.uint64) -> np.uint64:
    return _rotate(word * _C1, _31) * _C2


@kernel
def _mix_second(word: np.uint64) -> np.uint64:
    return _rotate(word * _C2, _33) * _C1


@kernel
def _lowest_bytes(word: np.uint64, count: np.uint64) -> np.uint64:
    """The lowest ``count`` bytes; at most 8."""
    return word if count >= _8 else word & ((_1 << (_8 * count)) - _1)


@kernel
def _hash_bytes(
    begin: np.uint64, length: np.uint64, seed: np.uint64, raw: npt.NDArray[np.uint64]
) -> np.uint64:
    first, second, at, end = seed, seed, begin, begin + (length & ~np.uint64(15))
    while at < end:
        first ^= _mix_first(raw[at])
        first = (_rotate(first, _27) + second) * _5 + _ADD1
        second ^= _mix_second(raw[at + _8])
        second = (_rotate(second, _31) + first) * _5 + _ADD2
        at += _16
    rest = length & np.uint64(15)
    first ^= _mix_first(_lowest_bytes(raw[at], rest))  # nothing mixes to 0, which changes nothing
    if rest > _8:
        second ^= _mix_second(_lowest_bytes(raw[at + _8], rest - _8))
    first, second = first ^ length, second ^ length
    first += second
    second += first
    return max(fmix64(first) + fmix64(second), _1)
