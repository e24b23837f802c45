# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Sets of 64-bit hashes: open addressing with linear probing (D. Knuth, TAOCP 3, 6.4).

An entry is two words, the hash and a mark, side by side. A set may hold but one part of a
document's shingles: those whose upper ``bits`` bits are ``part``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.utf8.cpu import PIECE

_ZERO, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)

LEAST_ROOM = 4 * PIECE
"""Entries that a table must be able to have."""

Entries = npt.NDArray[np.uint64]


class Part(NamedTuple):
    """Shingles with ``part`` in their upper ``bits`` bits; ``part`` 0 of 0 bits are all of them."""

    bits: int
    part: int


@kernel
def slots_for(characters: int, bits: int, room: int) -> int:
    """Entries for a part of a document: a power of two, twice as many as shingles if there is room.

    The table of a real part has room for a few pieces of text besides, as ``has_room`` asks for:
    what is in a piece may be one shingle over and over.
    """
    slots = 64 if bits == 0 else LEAST_ROOM
    while slots < 2 * (characters >> bits) and slots < room:
        slots *= 2
    return slots


@kernel
def has_room(used: int, more: int, slots: int) -> bool:
    """Whether probing stays quick if so many more come in."""
    return (used + more) * 8 <= slots * 7


@kernel
def keep_part(hashes: npt.NDArray[np.uint64], count: int, part: Part) -> int:
    """Move the hashes of a part to the front; how many."""
    if part.bits == 0:
        return count
    kept, shift, wanted = np.uint64(0), np.uint64(64 - part.bits), np.uint64(part.part)
    for i in range(count):
        shingle = hashes[i]
        hashes[kept] = shingle
        kept += np.uint64(shingle >> shift == wanted)
    return np.int64(kept)  # type: ignore[return-value]


@kernel
def insert_all(hashes: npt.NDArray[np.uint64], count: int, entries: Entries, slots: int) -> int:
    """Add hashes to the set of a left document; how many were new."""
    mask, new = np.uint64(2 * slots - 1), 0
    for i in range(count):
        shingle = hashes[i]
        place = (shingle << _ONE) & mask
        found = entries[place]
        while (found != _ZERO) & (found != shingle):
            place = (place + _TWO) & mask
            found = entries[place]
        new += int(found == _ZERO)
        entries[place] = shingle
        entries[place + _ONE] = _ZERO
    return new


@kernel
def count_all(
    hashes: npt.NDArray[np.uint64],
    count: int,
    stamp: np.uint64,
    left: Entries,
    left_slots: int,
    own: Entries,
    own_slots: int,
) -> tuple[int, int]:
    """Look hashes of a right document up in the set of the left one.

    Found ones are marked with ``stamp``, those that are not found go into the set ``own``,
    of which entries with other stamps are empty. So each counts once.

    Returns:
        How many were found, and how many not, that were not seen before.
    """
    left_mask, own_mask = np.uint64(2 * left_slots - 1), np.uint64(2 * own_slots - 1)
    common, only = 0, 0
    for i in range(count):
        shingle = hashes[i]
        place = (shingle << _ONE) & left_mask
        found = left[place]
        while (found != _ZERO) & (found != shingle):
            place = (place + _TWO) & left_mask
            found = left[place]
        if found == shingle:
            common += int(left[place + _ONE] != stamp)
            left[place + _ONE] = stamp
            continue
        place = (shingle << _ONE) & own_mask
        while own[place + _ONE] == stamp and own[place] != shingle:
            place = (place + _TWO) & own_mask
        only += int(own[place + _ONE] != stamp)
        own[place] = shingle
        own[place + _ONE] = stamp
    return common, only
