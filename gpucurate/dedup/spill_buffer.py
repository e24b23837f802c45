"""Pairs of key and id in bounded memory: equal keys are joined as they come.

A buffer is filled, sorted, its runs of equal keys are joined, and of each key one pair stays.
Where that frees half of it (many copies of few documents), it is filled further; where not,
what is left is spilled as a sorted run. So memory is bounded whatever the distribution of keys is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.pair_sort import pair_sort
from gpucurate.dedup.spill import SortedRuns

Words = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]
Hook = Callable[[Sequence[Words], Ids], None]
"""Joins the ids of each run of equal keys; given each word of the keys, and the ids."""

_BLOCK = 1 << 16


class PairBuffer:
    """Takes pairs in any order, and joins those of equal keys.

    Args:
        capacity: pairs in memory.
        words: 64-bit words a key.
        hook: is given sorted pairs, each pair at least once, equal keys in sequences that overlap.
        runs: where to put what does not fit.
    """

    def __init__(self, capacity: int, words: int, hook: Hook, runs: SortedRuns) -> None:
        self._words = np.empty((words, capacity), np.uint64)
        self._ids = np.empty(capacity, np.uint32)
        self._sort = pair_sort(capacity, words)
        self._hook = hook
        self._runs = runs
        self._used = 0

    def room(self, wanted: int) -> tuple[Words, Ids]:
        """Places for at least one and at most ``wanted`` pairs (uint64[words, n], uint32[n]): fill them all.

        Raises:
            StorageError: what was there could not be spilled.
        """
        if self._used == len(self._ids):
            self._reduce()
            if 2 * self._used > len(self._ids):
                self._spill()
        places = slice(self._used, min(self._used + wanted, len(self._ids)))
        self._used = places.stop
        return self._words[:, places], self._ids[places]

    def finish(self) -> None:
        """Join all pairs that have not been joined yet.

        Raises:
            StorageError: not possible.
        """
        if not len(self._runs):
            self._hook(*self._sorted())
            return
        self._reduce()
        self._spill()
        for part in self._runs.parts():
            self._used = self._runs.load(part, self._words, self._ids)
            self._hook(*self._sorted())

    def _reduce(self) -> None:
        """Join what is there, and keep the first pair of each key."""
        words, ids = self._sorted()
        self._hook(words, ids)
        self._used = _keep_first(words, ids, self._words, self._ids)

    def _spill(self) -> None:
        self._runs.append(self._words[:, : self._used], self._ids[: self._used])
        self._used = 0

    def _sorted(self) -> tuple[Sequence[Words], Ids]:
        return self._sort(self._words[:, : self._used], self._ids[: self._used])


def _keep_first(words: Sequence[Words], ids: Ids, to_words: Words, to_ids: Ids) -> int:
    """Copy the first pair of each key, block by block; the target may be where the pairs lie.

    Returns:
        How many there are.
    """
    kept = 0
    for start in range(0, len(ids), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(ids)))
        first = _is_first(words, block)
        to = slice(kept, kept + int(np.count_nonzero(first)))
        for row, column in enumerate(words):
            to_words[row, to] = column[block][first]
        to_ids[to] = ids[block][first]
        kept = to.stop
    return kept


def _is_first(words: Sequence[Words], block: slice) -> npt.NDArray[np.bool_]:
    """Whether each key of a block differs from the one before it.

    The key before the block may have been overwritten, but only by itself: until a pair is left
    out, everything is copied to where it lies.
    """
    first = np.zeros(block.stop - block.start, bool)
    first[0] = block.start == 0
    since = max(block.start, 1)
    for column in words:
        first[since - block.start :] |= column[since : block.stop] != column[since - 1 : block.stop - 1]
    return first
