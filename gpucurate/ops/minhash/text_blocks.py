# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Blocks of text with where their windows of n characters begin: for hashes over bytes.

A block owns the windows that begin in it and holds the bytes up to their ends, so blocks need
nothing of each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.params import MAX_NGRAM
from gpucurate.ops.utf8.cpu import PADDING, PIECE, load_piece, piece_end

ROOM = PIECE + 4 * MAX_NGRAM + 2 * PADDING
"""Bytes that a block may hold, and what reading ahead may touch."""


class Block(NamedTuple):
    """Windows of a block.

    ``next_block`` is the byte of the document at which the following block begins; ``windows`` the number
    of windows, of ``length`` characters each; ``is_ascii`` says whether characters are bytes.
    """

    next_block: int
    windows: int
    length: int
    is_ascii: bool


class BlockText(NamedTuple):
    """``piece`` holds the bytes, ``begins`` the byte of each character and of the end of the last."""

    piece: npt.NDArray[np.uint8]
    begins: npt.NDArray[np.uint32]


def block_text() -> BlockText:
    """Room for a block."""
    return BlockText(np.zeros(ROOM, np.uint8), np.zeros(ROOM, np.uint32))


@kernel
def load_block(
    data: npt.NDArray[np.uint8], at: int, is_first: bool, stop: int, ngram: int, text: BlockText
) -> Block:
    """Load the block that begins at ``at`` of the document that ends at ``stop``.

    A document of fewer than ``ngram`` characters has one window: all of it. It fits the first block.
    """
    end = piece_end(data, at, stop, PIECE)
    halo = _skip_characters(data, end, stop, ngram - 1)
    is_ascii = load_piece(data, at, halo, text.piece)
    characters = _find_characters(text, halo - at)
    if is_first and characters < ngram:
        return Block(end, 1, characters, is_ascii)
    return Block(end, max(characters - ngram + 1, 0), ngram, is_ascii)


@kernel
def _skip_characters(data: npt.NDArray[np.uint8], at: int, stop: int, count: int) -> int:
    for _ in range(count):
        if at >= stop:
            return stop
        at += 1
        while at < stop and (data[at] & 0xC0) == 0x80:
            at += 1
    return at


@kernel
def _find_characters(text: BlockText, nbytes: int) -> int:
    """Fill ``begins``; the number of characters."""
    found = np.uint64(0)
    for i in range(nbytes):
        text.begins[found] = np.uint32(i)
        found += np.uint64((text.piece[i] & 0xC0) != 0x80)
    text.begins[found] = np.uint32(nbytes)
    return np.int64(found)  # type: ignore[return-value]
