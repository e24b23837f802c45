"""Sorting of pairs of key and id in scratch that is allocated once, for keys of one word or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gpucurate.ops.grouping import sort_pairs

Words = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]

PAIR_BYTES = {1: 24, 2: 44}
"""Bytes a pair by words of its key: the pair, and what sorting it takes."""

_BLOCK = 1 << 16


class PairSort(Protocol):
    """Sorts up to as many pairs as it was made for."""

    def __call__(self, words: Words, ids: Ids) -> tuple[Sequence[Words], Ids]:
        """Sort pairs, stably; what is given may be overwritten.

        Args:
            words: uint64[words, n], compared from the first on.
            ids: uint32[n].

        Returns:
            Each word of the sorted keys (uint64[n]) and the ids (uint32[n]), until the next call.
        """


def pair_sort(capacity: int, words: int) -> PairSort:
    """What sorts up to ``capacity`` pairs whose keys have so many words, 1 or 2.

    >>> (keys,), ids = pair_sort(10**6, 1)(words, ids)
    """
    return _NarrowSort(capacity) if words == 1 else _WideSort(capacity)


class _NarrowSort:
    """Keys of one word: 12 bytes of scratch a pair."""

    def __init__(self, capacity: int) -> None:
        self._keys = np.empty(capacity, np.uint64)
        self._ids = np.empty(capacity, np.uint32)

    def __call__(self, words: Words, ids: Ids) -> tuple[Sequence[Words], Ids]:
        keys, ids = sort_pairs(words[0], ids, self._keys, self._ids)
        return (keys,), ids


class _WideSort:
    """Keys of two words, by the order of their places: 24 bytes of scratch a pair.

    The second words are looked at only if two first ones agree that are not of equal keys: of
    hashes that hardly ever happens.
    """

    def __init__(self, capacity: int) -> None:
        self._keys = [np.empty(capacity, np.uint64) for _ in range(2)]
        self._orders = [np.empty(capacity, np.uint32) for _ in range(2)]

    def __call__(self, words: Words, ids: Ids) -> tuple[Sequence[Words], Ids]:
        high, low = words
        keys, order = self._sorted_by(high, self._as_they_are(len(ids)))
        others = _take(low, order, _other(self._keys, keys))
        if _is_ambiguous(keys, others):
            keys, order = self._sorted_by(high, self._sorted_by(low, self._as_they_are(len(ids)))[1])
            others = _take(low, order, _other(self._keys, keys))
        return (keys, others), _take(ids, order, _other(self._orders, order))

    def _as_they_are(self, count: int) -> Ids:
        order = self._orders[0][:count]
        for first in range(0, count, _BLOCK):
            order[first : first + _BLOCK] = np.arange(first, min(first + _BLOCK, count), dtype=np.uint32)
        return order

    def _sorted_by(self, column: Words, order: Ids) -> tuple[Words, Ids]:
        """The words of a column, sorted, and their places; of equals, in the order given."""
        keys = _take(column, order, self._keys[0])
        return sort_pairs(keys, order, self._keys[1], _other(self._orders, order))


def _other(two: Sequence[npt.NDArray[Any]], part: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """That of two arrays which ``part`` is not a part of."""
    return two[0] if np.may_share_memory(two[1], part) else two[1]


def _take(values: npt.NDArray[Any], order: Ids, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``values[order]`` at the beginning of ``out``, block by block: an index takes 8 bytes a place."""
    for first in range(0, len(order), _BLOCK):
        part = slice(first, min(first + _BLOCK, len(order)))
        out[part] = values[order[part]]
    return out[: len(order)]


def _is_ambiguous(high: Words, low: Words) -> bool:
    """Whether two neighbours agree in the first word only."""
    for first in range(1, len(high), _BLOCK):
        part, before = slice(first, first + _BLOCK), slice(first - 1, min(first - 1 + _BLOCK, len(high) - 1))
        if np.any((high[part] == high[before]) & (low[part] != low[before])):
            return True
    return False
