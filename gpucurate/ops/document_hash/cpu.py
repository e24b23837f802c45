# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Document hash on the CPU: both sums in one pass, in vector lanes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import read_only, text_arrays
from gpucurate.ops.compiled import kernel
from gpucurate.ops.document_hash.contract import CHUNK, SALT_A, SALT_B
from gpucurate.ops.mixing.cpu import fmix64, splitmix64_finaliser
from gpucurate.ops.utf8.cpu import load_piece

_SALT_A, _SALT_B = np.uint64(SALT_A), np.uint64(SALT_B)
_BLOCK_WORDS = 512  # 4 KiB: the copy that aligns the words stays in the first-level cache


def document_hash(text: TextBuffers) -> npt.NDArray[np.uint64]:
    """See the contract."""
    data, offsets = text_arrays(text)
    hashes = np.empty((len(text), 2), np.uint64)
    _hash_documents(data, offsets, np.empty(_BLOCK_WORDS, np.uint64), np.empty(2, np.uint64), hashes)
    if text.valid is not None:
        hashes[~text.valid] = 0
    return hashes


def add_chunk(chunk: npt.NDArray[np.uint8], length: int, number: int, sums: npt.NDArray[np.uint64]) -> None:
    """Add chunk ``number``, ``chunk[:length]``, to the sums (X, Y) of its document."""
    _add_chunk(read_only(chunk, np.uint8), 0, length, number, np.empty(_BLOCK_WORDS, np.uint64), sums)


def finish(sums: npt.NDArray[np.uint64], length: int) -> tuple[int, int]:
    """The hash of a document of ``length`` bytes with the sums (X, Y)."""
    first, second = _finish(np.uint64(sums[0]), np.uint64(sums[1]), length)
    return int(first), int(second)


@kernel
def _hash_documents(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    block: npt.NDArray[np.uint64],
    sums: npt.NDArray[np.uint64],
    hashes: npt.NDArray[np.uint64],
) -> None:
    for i in range(len(hashes)):
        start, stop = offsets[i], offsets[i + 1]
        sums[:] = 0
        for number in range((stop - start + CHUNK - 1) // CHUNK):
            chunk = start + number * CHUNK
            _add_chunk(data, chunk, min(chunk + CHUNK, stop), number, block, sums)
        hashes[i, 0], hashes[i, 1] = _finish(sums[0], sums[1], stop - start)


@kernel
def _add_chunk(
    data: npt.NDArray[np.uint8],
    start: int,
    stop: int,
    number: int,
    block: npt.NDArray[np.uint64],
    sums: npt.NDArray[np.uint64],
) -> None:
    a, b = np.uint64(0), np.uint64(0)
    octets = block.view(np.uint8)
    word = 0
    while start < stop:
        count = min(stop - start, len(octets))
        load_piece(data, start, start + count, octets)
        words = (count + 7) >> 3
        octets[count : words << 3] = 0
        more_a, more_b = _sum_words(block, words, np.uint64(word))
        a, b = a + more_a, b + more_b
        start += count
        word += words
    place = np.uint64(number + 1)
    sums[0] += fmix64(a + place * _SALT_A)
    sums[1] += splitmix64_finaliser(b ^ (place * _SALT_B))


@kernel
def _sum_words(block: npt.NDArray[np.uint64], words: int, before: np.uint64) -> tuple[np.uint64, np.uint64]:
    a, b = np.uint64(0), np.uint64(0)
    for j in range(words):
        place = np.uint64(j) + before + np.uint64(1)
        a += fmix64(block[j] + place * _SALT_A)
        b += splitmix64_finaliser(block[j] ^ (place * _SALT_B))
    return a, b


@kernel
def _finish(x: np.uint64, y: np.uint64, length: int) -> tuple[np.uint64, np.uint64]:
    salt = np.uint64(length + 1)
    return fmix64(x + salt * _SALT_A), splitmix64_finaliser(y + salt * _SALT_B)
