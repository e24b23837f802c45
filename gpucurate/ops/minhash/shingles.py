# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""From the bytes of one document to the extremes of its shingles, piece by piece."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.extremes import update_extremes
from gpucurate.ops.minhash.scratch import Scratch, Tables
from gpucurate.ops.minhash.windows import hash_windows
from gpucurate.ops.minhash.words import append_words, classify, classify_ascii
from gpucurate.ops.mixing.cpu import fmix32
from gpucurate.ops.utf8.cpu import PIECE, decode, load_piece, piece_end, widen

_ENOUGH = PIECE // 2  # pending windows worth a pass over the multipliers


@kernel
def absorb_characters(
    data: npt.NDArray[np.uint8], start: int, stop: int, ngram: int, tables: Tables, scratch: Scratch
) -> bool:
    """Take in the shingles of code points of ``data[start:stop]``; whether there was one."""
    fill, absorbed = 0, False
    while start < stop:
        end = piece_end(data, start, stop, PIECE)
        fill = _append_characters(data, start, end, scratch, fill)
        start = end
        if fill >= ngram + _ENOUGH:
            fill, absorbed = _absorb_windows(fill, ngram, tables, scratch), True
    return _absorb_rest(fill, ngram, absorbed, tables, scratch)


@kernel
def absorb_words(
    data: npt.NDArray[np.uint8], start: int, stop: int, ngram: int, tables: Tables, scratch: Scratch
) -> bool:
    """Take in the shingles of words of ``data[start:stop]``; whether there was one."""
    fill, absorbed, open_word = 0, False, -1
    while start < stop:
        end = piece_end(data, start, stop, PIECE)
        fill, open_word = _append_words(data, start, end, open_word, tables, scratch, fill)
        start = end
        if fill >= ngram + _ENOUGH:
            fill, absorbed = _absorb_windows(fill, ngram, tables, scratch), True
    if open_word >= 0:
        scratch.pending[fill] = fmix32(np.uint32(open_word))
        fill += 1
    return _absorb_rest(fill, ngram, absorbed, tables, scratch)


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
def _absorb_rest(fill: int, ngram: int, absorbed: bool, tables: Tables, scratch: Scratch) -> bool:
    """Take in what the last piece left; a document shorter than a shingle is one."""
    if fill >= ngram:
        _absorb_windows(fill, ngram, tables, scratch)
    elif fill > 0 and not absorbed:
        _absorb_windows(fill, fill, tables, scratch)
    return absorbed or fill > 0


@kernel
def _absorb_windows(fill: int, length: int, tables: Tables, scratch: Scratch) -> int:
    """Take in all windows of the pending values; how many values stay pending."""
    pending, hashes = scratch.pending, scratch.hashes
    count = fill - length + 1
    hash_windows(pending, count, length, scratch.even, scratch.odd, hashes)
    update_extremes(hashes, count, tables.multipliers, scratch.lows, scratch.highs)
    for i in range(length - 1):
        pending[i] = pending[count + i]
    return length - 1
