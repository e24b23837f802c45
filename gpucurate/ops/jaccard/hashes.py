# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""64-bit hashes of the shingles of a document, a thousand or so at a time.

The hash of a window is a difference of two prefixes, P_(i+n) - P_i * B^n with P_i = P_(i-1) * B + v_i,
so that it costs the same whatever n.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.buffers import read_only
from gpucurate.ops.compiled import kernel
from gpucurate.ops.jaccard.contract import BASE64
from gpucurate.ops.minhash.params import MAX_NGRAM
from gpucurate.ops.minhash.words import classify, classify_ascii
from gpucurate.ops.mixing.cpu import fmix64
from gpucurate.ops.unicode import SOLO, WORD, unicode_tables
from gpucurate.ops.utf8.cpu import PADDING, PIECE, decode, load_piece, piece_end, widen

_BASE = np.uint64(BASE64)
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_WORD, _SOLO = np.uint8(WORD), np.uint8(SOLO)
_ROOM = PIECE + PADDING


class Shingling(NamedTuple):
    """Kind and length of shingles; ``power`` is B^ngram."""

    of_words: bool
    ngram: int
    power: np.uint64


class Classes(NamedTuple):
    """Classes of code points; read-only."""

    stage1: npt.NDArray[np.uint16]
    stage2: npt.NDArray[np.uint8]


class HashScratch(NamedTuple):
    """``prefixes`` are of the values since the last that was dropped; the rest belongs to one piece."""

    prefixes: npt.NDArray[np.uint64]
    hashes: npt.NDArray[np.uint64]
    piece: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.uint8]
    points: npt.NDArray[np.uint32]
    decoded: npt.NDArray[np.uint32]


class Cursor(NamedTuple):
    """How far a document has been taken.

    ``at`` is the next byte; ``have`` counts the prefixes; ``word`` is the polynomial of the word
    that runs on if ``is_open``; ``taken`` is 1 once there was a shingle.
    """

    at: int
    have: int
    word: np.uint64
    is_open: int
    taken: int


@cache
def class_tables() -> Classes:
    """The classes."""
    unicode = unicode_tables()
    return Classes(read_only(unicode.class_stage1, np.uint16), read_only(unicode.class_stage2, np.uint8))


def hash_scratch() -> HashScratch:
    """Working memory of one call; about 50 KB."""
    windows = 2 * _ROOM + MAX_NGRAM
    return HashScratch(
        prefixes=np.zeros(windows, np.uint64),
        hashes=np.zeros(windows, np.uint64),
        piece=np.zeros(_ROOM, np.uint8),
        classes=np.zeros(_ROOM, np.uint8),
        points=np.zeros(_ROOM, np.uint32),
        decoded=np.zeros(_ROOM, np.uint32),
    )


@kernel
def first_cursor(start: int, scratch: HashScratch) -> Cursor:
    """Where a document that begins at ``start`` is taken from."""
    scratch.prefixes[0] = _ZERO
    return Cursor(start, 1, _ZERO, 0, 0)


@kernel
def next_hashes(
    data: npt.NDArray[np.uint8],
    cursor: Cursor,
    stop: int,
    shingling: Shingling,
    classes: Classes,
    scratch: HashScratch,
) -> tuple[int, Cursor]:
    """Hash the next shingles of the document that ends at ``stop`` into ``scratch.hashes``.

    Returns:
        How many, 0 if there are no more; and the cursor for the next call.
    """
    at, have, word, is_open = cursor.at, cursor.have, cursor.word, cursor.is_open
    ngram = shingling.ngram
    while at < stop:
        end = piece_end(data, at, stop, PIECE)
        is_ascii = load_piece(data, at, end, scratch.piece)
        count = _decode(end - at, is_ascii, scratch)
        if shingling.of_words:
            _classify(count, is_ascii, classes, scratch)
            have, word, is_open = _append_words(count, word, is_open, have, scratch)
        else:
            have = _append_characters(count, have, scratch)
        at = end
        if have > ngram:
            return _hash_windows(have, shingling, scratch), Cursor(at, ngram, word, is_open, 1)
    if is_open > 0:
        have = _append_value(fmix64(word), have, scratch)
    count = _hash_rest(have, cursor.taken, shingling, scratch)
    return count, Cursor(at, 1, _ZERO, 0, 1)


@kernel
def _decode(nbytes: int, is_ascii: bool, scratch: HashScratch) -> int:
    if is_ascii:
        widen(scratch.piece, nbytes, scratch.points, 0)
        return nbytes
    return decode(scratch.piece, nbytes, scratch.decoded, scratch.points, 0)


@kernel
def _classify(count: int, is_ascii: bool, classes: Classes, scratch: HashScratch) -> None:
    if is_ascii:
        classify_ascii(scratch.piece, count, scratch.points, scratch.classes)
    else:
        classify(scratch.points, count, classes.stage1, classes.stage2, scratch.classes)


@kernel
def _append_value(value: np.uint64, have: int, scratch: HashScratch) -> int:
    scratch.prefixes[have] = scratch.prefixes[have - 1] * _BASE + value
    return have + 1


@kernel
def _append_characters(count: int, have: int, scratch: HashScratch) -> int:
    prefix, target = scratch.prefixes[have - 1], scratch.prefixes[have:]
    for i in range(count):
        prefix = prefix * _BASE + np.uint64(scratch.points[i])
        target[i] = prefix
    return have + count


@kernel
def _append_words(
    count: int, word: np.uint64, is_open: int, have: int, scratch: HashScratch
) -> tuple[int, np.uint64, int]:
    for i in range(count):
        kind = scratch.classes[i]
        if kind == _WORD:
            word = word * _BASE + np.uint64(scratch.points[i])
            is_open = 1
            continue
        if is_open > 0:
            have = _append_value(fmix64(word), have, scratch)
            word, is_open = _ZERO, 0
        if kind == _SOLO:
            have = _append_value(fmix64(np.uint64(scratch.points[i])), have, scratch)
    return have, word, is_open


@kernel
def _hash_windows(have: int, shingling: Shingling, scratch: HashScratch) -> int:
    """Hash all windows of the values at hand; the last prefixes stay."""
    count, prefixes = have - shingling.ngram, scratch.prefixes
    later = prefixes[shingling.ngram :]
    for i in range(count):
        scratch.hashes[i] = max(fmix64(later[i] - prefixes[i] * shingling.power), _ONE)
    for i in range(shingling.ngram):
        prefixes[i] = prefixes[count + i]
    return count


@kernel
def _hash_rest(have: int, taken: int, shingling: Shingling, scratch: HashScratch) -> int:
    """Hash what the last piece left; a document shorter than a shingle is one."""
    if have > shingling.ngram:
        return _hash_windows(have, shingling, scratch)
    if have > 1 and taken == 0:
        scratch.hashes[0] = max(fmix64(scratch.prefixes[have - 1]), _ONE)
        return 1
    return 0
