# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""From the bytes of one document to the hashes of its shingles, a thousand or so at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.scratch import Scratch, Tables
from gpucurate.ops.minhash.windows import hash_windows
from gpucurate.ops.minhash.words import append_words, classify, classify_ascii
from gpucurate.ops.mixing.cpu import fmix32
from gpucurate.ops.utf8.cpu import PIECE, decode, load_piece, piece_end, widen

_ENOUGH = PIECE // 2  # pending windows worth a pass over the multipliers


class Cursor(NamedTuple):
    """How far the shingles of a document have been taken.

    ``at`` is the next byte; ``fill`` counts the pending values; ``open_word`` is the polynomial of
    the word that runs on, or -1; ``taken`` is 1 once there was a shingle. One begins as
    ``Cursor(start, 0, -1, 0)``.
    """

    at: int
    fill: int
    open_word: int
    taken: int


@kernel
def next_shingles(
    data: npt.NDArray[np.uint8],
    cursor: Cursor,
    stop: int,
    of_words: bool,
    ngram: int,
    tables: Tables,
    scratch: Scratch,
) -> tuple[int, Cursor]:
    """Hash the next shingles of the document that ends at ``stop`` into ``scratch.hashes``.

    Returns:
        How many, 0 if there are no more; and the cursor for the next call.
    """
    at, fill, open_word = cursor.at, cursor.fill, cursor.open_word
    while at < stop:
        end = piece_end(data, at, stop, PIECE)
        if of_words:
            fill, open_word = _append_words(data, at, end, open_word, tables, scratch, fill)
        else:
            fill = _append_characters(data, at, end, scratch, fill)
        at = end
        if fill >= ngram + _ENOUGH:
            return _hash_pending(fill, ngram, scratch), Cursor(at, ngram - 1, open_word, 1)
    if open_word >= 0:
        scratch.pending[fill] = fmix32(np.uint32(open_word))
        fill += 1
    count = _hash_rest(fill, ngram, cursor.taken, scratch)
    return count, Cursor(at, 0, -1, 1 if count > 0 else cursor.taken)


@kernel
def _append_characters(data: npt.NDArray[np.uint8], start: int, end: int, scratch: Scratch, fill: int) -> int:
    if load_piece(data, start, end, scratch.piece):
        widen(scratch.piece, end - start, scratch.pending, fill)
        return fill + end - start
    return decode(scratch.piece, end - start, scratch.points, scratch.pending, fill)


@kernel
def _append_words(
    data: npt.NDArray[np.uint8],
    start: int,
    end: int,
    open_word: int,
    tables: Tables,
    scratch: Scratch,
    fill: int,
) -> tuple[int, int]:
    count = end - start
    if load_piece(data, start, end, scratch.piece):
        classify_ascii(scratch.piece, count, scratch.points, scratch.classes)
    else:
        count = decode(scratch.piece, count, scratch.sums, scratch.points, 0)
        classify(scratch.points, count, tables.class_stage1, tables.class_stage2, scratch.classes)
    return append_words(
        scratch.points,
        scratch.classes,
        scratch.marks,
        count,
        open_word,
        tables.rising,
        tables.falling,
        scratch.sums,
        scratch.ends,
        scratch.pending,
        fill,
    )


@kernel
def _hash_rest(fill: int, ngram: int, taken: int, scratch: Scratch) -> int:
    """Hash what the last piece left; a document shorter than a shingle is one."""
    if fill >= ngram:
        return _hash_pending(fill, ngram, scratch)
    if fill > 0 and taken == 0:
        return _hash_pending(fill, fill, scratch)
    return 0


@kernel
def _hash_pending(fill: int, length: int, scratch: Scratch) -> int:
    """Hash all windows of the pending values, of which the last ``length - 1`` stay; how many windows."""
    pending = scratch.pending
    count = fill - length + 1
    hash_windows(pending, count, length, scratch.even, scratch.odd, scratch.hashes)
    for i in range(length - 1):
        pending[i] = pending[count + i]
    return count
