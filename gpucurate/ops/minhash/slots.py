# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Slots of Fast Similarity Sketching: which shingle falls where in which round.

The sketch is a minimum over all rounds and shingles, so shingles may come in parts and in any
order. A part needs no round of which every word would be above all slots: that is the rule of
the paper, "stop after a full round that leaves no slot empty", for one part at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.contract import FSS_LONG_ROUND
from gpucurate.ops.mixing.cpu import fmix32
from gpucurate.ops.utf8.cpu import whole_vectors

FILTER = 1024
"""Entries of the memory of shingles that were seen, a power of two."""

_8, _21, _32 = np.uint32(8), np.uint32(21), np.uint64(32)
_LONG = FSS_LONG_ROUND
_FILTER_SHIFT = np.uint32(22)  # a shingle's place in the filter are its upper 10 bits


class SlotScratch(NamedTuple):
    """``words`` and ``places`` belong to one round; ``seen`` holds shingles of the document."""

    words: npt.NDArray[np.uint32]
    places: npt.NDArray[np.uint32]
    seen: npt.NDArray[np.uint32]


@kernel
def absorb(
    hashes: npt.NDArray[np.uint32],
    count: int,
    multipliers: npt.NDArray[np.uint32],
    slots: npt.NDArray[np.uint32],
    scratch: SlotScratch,
    is_filter_clear: bool,
) -> bool:
    """Lower the slots to the words of ``count`` shingles, in as many rounds as it takes.

    Args:
        hashes: uint32, the shingles; reordered.
        count: how many, at least 1.
        multipliers: of the rounds, 2K.
        slots: uint32[K].
        scratch: for rounds of ``count`` shingles, rounded up to whole vectors.
        is_filter_clear: whether ``scratch.seen`` holds shingles of this document only.

    Returns:
        The same for the next part.
    """
    _spread(hashes, count, multipliers[0], 0, slots, scratch)
    size, done = len(slots), 1
    if _largest(slots) < first_word(done):
        return is_filter_clear
    if not is_filter_clear:
        scratch.seen[:] = 0  # a shingle is odd
    count = _drop_seen(hashes, count, scratch.seen)
    while count > 0 and done < 2 * size and _largest(slots) >= first_word(done):
        if done < size:
            _spread(hashes, count, multipliers[done], done, slots, scratch)
        else:
            _fill(hashes, count, multipliers[done], done, slots)
        done += 1
    return True


@kernel
def first_word(done: int) -> np.uint32:
    """The least word of a round."""
    if done < _LONG:
        return np.uint32(done << 24)
    return np.uint32((_LONG << 24) | ((done - _LONG) << 11))


@kernel
def _spread(
    hashes: npt.NDArray[np.uint32],
    count: int,
    multiplier: np.uint32,
    done: int,
    slots: npt.NDArray[np.uint32],
    scratch: SlotScratch,
) -> None:
    """A round in which every shingle falls into a slot of its own choice."""
    words, places = scratch.words, scratch.places
    size, first = np.uint64(len(slots)), first_word(done)
    shift = _8 if done < _LONG else _21
    for i in range(whole_vectors(count)):
        scaled = np.uint64(fmix32(np.uint32(hashes[i] * multiplier))) * size
        places[i] = np.uint32(scaled >> _32)
        words[i] = first | (np.uint32(scaled) >> shift)
    for i in range(count):
        place, word = np.uint64(places[i]), words[i]
        current = slots[place]
        slots[place] = word if word < current else current


@kernel
def _fill(
    hashes: npt.NDArray[np.uint32],
    count: int,
    multiplier: np.uint32,
    done: int,
    slots: npt.NDArray[np.uint32],
) -> None:
    """A round in which all shingles fall into one slot."""
    least = np.uint32(2**32 - 1)
    for i in range(count):
        mixed = fmix32(np.uint32(hashes[i] * multiplier))
        least = mixed if mixed < least else least
    word = first_word(done) | (least >> (_8 if done < _LONG else _21))
    place = done - len(slots)
    slots[place] = min(slots[place], word)


@kernel
def _largest(slots: npt.NDArray[np.uint32]) -> np.uint32:
    largest = np.uint32(0)
    for word in slots:
        largest = word if word > largest else largest
    return largest


@kernel
def _drop_seen(hashes: npt.NDArray[np.uint32], count: int, seen: npt.NDArray[np.uint32]) -> int:
    """Move shingles that the filter does not hold to the front and into it; how many."""
    kept = np.uint64(0)
    for i in range(count):
        shingle = hashes[i]
        place = np.uint64(shingle >> _FILTER_SHIFT)
        is_new = seen[place] != shingle
        seen[place] = shingle
        hashes[kept] = shingle
        kept += np.uint64(is_new)
    return np.int64(kept)  # type: ignore[return-value]
