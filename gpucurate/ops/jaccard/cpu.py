# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Exact Jaccard similarity on the CPU.

The set of the left document is a table; the shingles of the right one are looked up in it. Tables
have room for ``MAX_SLOTS`` entries at most: longer documents are compared in parts, by the upper
bits of the hashes, each part with a pass of its own over the text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import TextArrays, read_only, text_arrays
from gpucurate.ops.char_length import char_length
from gpucurate.ops.compiled import kernel
from gpucurate.ops.jaccard.contract import BASE64
from gpucurate.ops.jaccard.hashes import (
    Classes,
    HashScratch,
    Shingling,
    class_tables,
    first_cursor,
    hash_scratch,
    next_hashes,
)
from gpucurate.ops.jaccard.table import Entries, Part, count_all, has_room, insert_all, keep_part, slots_for
from gpucurate.ops.minhash import MinHashParams

MAX_SLOTS = 1 << 20
"""Entries of a table at most, 16 MB: a power of two, not below ``LEAST_ROOM``."""

Rows = npt.NDArray[np.uint32]
Sizes = npt.NDArray[np.int64]


class Work(NamedTuple):
    """What the kernels look up and write to."""

    classes: Classes
    scratch: HashScratch
    left: Entries
    own: Entries


def shared_shingles(text: TextBuffers, left: Rows, right: Rows, params: MinHashParams) -> tuple[Rows, Rows]:
    """See the contract."""
    arrays = text_arrays(text)
    left, right = read_only(left, np.uint32), read_only(right, np.uint32)
    sizes = read_only(char_length(text), np.int64)
    room = _room(sizes, left, right)
    work = Work(class_tables(), hash_scratch(), np.zeros(2 * room, np.uint64), np.zeros(2 * room, np.uint64))
    power = np.uint64(pow(BASE64, params.ngram, 2**64))
    shingling = Shingling(params.shingle == "word", params.ngram, power)
    common, total = np.zeros(len(left), np.uint32), np.zeros(len(left), np.uint32)
    compare_pairs(arrays, sizes, left, right, shingling, work, common, total)
    return common, total


def _room(sizes: Sizes, left: Rows, right: Rows) -> int:
    """Entries for the longest document that is compared, within ``MAX_SLOTS``."""
    longest = max(int(sizes[rows].max(initial=1)) for rows in (left, right))
    return slots_for(longest, 0, MAX_SLOTS)


@kernel
def compare_pairs(
    text: TextArrays,
    sizes: Sizes,
    left: Rows,
    right: Rows,
    shingling: Shingling,
    work: Work,
    common: Rows,
    total: Rows,
) -> None:
    """Fill ``common`` and ``total``, one run of pairs of equal ``left`` after the other."""
    begin, stamp = 0, np.uint64(0)
    while begin < len(left):
        end, longest = begin, sizes[left[begin]]
        while end < len(left) and left[end] == left[begin]:
            longest = max(longest, sizes[right[end]])
            end += 1
        bits, is_done = _bits(longest, len(work.left) >> 1), False
        while not is_done:
            is_done, stamp = _compare_run(
                text, sizes, left, right, begin, end, bits, stamp, shingling, work, common, total
            )
            bits += 1  # a table was too full: more parts
        begin = end


@kernel
def _bits(longest: int, room: int) -> int:
    """So many that a part of the longest document fills half a table at most."""
    bits = 0
    while (longest >> bits) * 2 > room:
        bits += 1
    return bits


@kernel
def _compare_run(
    text: TextArrays,
    sizes: Sizes,
    left: Rows,
    right: Rows,
    begin: int,
    end: int,
    bits: int,
    stamp: np.uint64,
    shingling: Shingling,
    work: Work,
    common: Rows,
    total: Rows,
) -> tuple[bool, np.uint64]:
    """Compare the pairs from ``begin`` to ``end``, of one left document; False if parts were too large."""
    room = len(work.left) >> 1
    slots = slots_for(sizes[left[begin]], bits, room)
    for number in range(1 << bits):
        part = Part(bits, number)
        distinct = _build(text, left[begin], part, slots, shingling, work)
        if distinct < 0:
            return False, stamp
        for j in range(begin, end):
            stamp += np.uint64(1)
            own_slots = slots_for(sizes[right[j]], bits, room)
            both, only = _look_up(text, right[j], part, stamp, slots, own_slots, shingling, work)
            if only < 0:
                return False, stamp
            common[j] = np.uint32(both) + (common[j] if number > 0 else np.uint32(0))
            total[j] = np.uint32(distinct + only) + (total[j] if number > 0 else np.uint32(0))
    return True, stamp


@kernel
def _build(text: TextArrays, row: int, part: Part, slots: int, shingling: Shingling, work: Work) -> int:
    """Make the set of a left document; its size, or -1 if it does not fit."""
    work.left[: 2 * slots] = 0
    used, stop = 0, text.offsets[row + 1]
    cursor = first_cursor(text.offsets[row], work.scratch)
    while True:
        count, cursor = next_hashes(text.data, cursor, stop, shingling, work.classes, work.scratch)
        if count == 0:
            break
        count = keep_part(work.scratch.hashes, count, part)
        if not has_room(used, count, slots):
            return -1
        used += insert_all(work.scratch.hashes, count, work.left, slots)
    return used


@kernel
def _look_up(
    text: TextArrays,
    row: int,
    part: Part,
    stamp: np.uint64,
    left_slots: int,
    own_slots: int,
    shingling: Shingling,
    work: Work,
) -> tuple[int, int]:
    """Shingles of a right document that the set has, and others; -1 others if they do not fit."""
    common, only, stop = 0, 0, text.offsets[row + 1]
    cursor = first_cursor(text.offsets[row], work.scratch)
    while True:
        count, cursor = next_hashes(text.data, cursor, stop, shingling, work.classes, work.scratch)
        if count == 0:
            break
        count = keep_part(work.scratch.hashes, count, part)
        if not has_room(only, count, own_slots):
            return 0, -1
        both, others = count_all(
            work.scratch.hashes, count, stamp, work.left, left_slots, work.own, own_slots
        )
        common, only = common + both, only + others
    return common, only
