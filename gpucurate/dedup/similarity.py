"""Similarities of pairs, each taken once, on threads, in bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.comparer import Comparer
from gpucurate.dedup.pair_table import PairTable, unpack

Pairs = npt.NDArray[np.uint64]
Values = npt.NDArray[np.float64]

_MOST_PAIRS = 1 << 14
"""Of a batch: enough to share the cost of its calls, few enough for all threads to have some."""


class Similarities:
    """Takes the similarity of pairs, and remembers it.

    Args:
        comparer: what documents are compared by.
        table: where what was compared is kept.
        threads: batches at a time.
        batch_bytes: of what is compared, a batch; one pair always may be.

    >>> with Similarities(comparer, PairTable(scratch / "pairs"), threads=2, batch_bytes=16 << 20) as of:
    ...     of(pack(left, right))
    """

    def __init__(self, comparer: Comparer, table: PairTable, *, threads: int, batch_bytes: int) -> None:
        self.table = table
        self._comparer = comparer
        self._batch_bytes = batch_bytes
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __call__(self, pairs: Pairs) -> Values:
        """Similarity of each pair (uint64[n], in any order, also repeated): float64[n].

        Raises:
            StorageError: what is compared cannot be read, or what was compared not be kept.
        """
        unique, places = np.unique(pairs, return_inverse=True)
        values = self.table.find(unique)
        missing = np.isnan(values)
        values[missing] = self._compare(unique[missing])
        self.table.add(unique[missing], values[missing])
        found: Values = values[places]
        return found

    def _compare(self, pairs: Pairs) -> Values:
        batches = [pairs[first:stop] for first, stop in pairwise(self._cuts(pairs))]
        return np.concatenate([np.zeros(0), *self._pool.map(self._batch, batches)])

    def _batch(self, pairs: Pairs) -> Values:
        return self._comparer.compare(*unpack(pairs))

    def _cuts(self, pairs: Pairs) -> list[int]:
        """Where batches of sorted pairs begin, and where the last one ends."""
        if not len(pairs):
            return [0]
        left, right = unpack(pairs)
        taken = self._sizes(right)
        changes = np.concatenate(([0], np.flatnonzero(left[1:] != left[:-1]) + 1))
        taken[changes] += self._comparer.sizes(left[changes])
        before = np.cumsum(taken) - taken
        cuts = [0]
        while cuts[-1] < len(pairs):
            stop = int(np.searchsorted(before, before[cuts[-1]] + self._batch_bytes))
            cuts.append(max(cuts[-1] + 1, min(stop, cuts[-1] + _MOST_PAIRS, len(pairs))))
        return cuts

    def _sizes(self, ids: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        unique, places = np.unique(ids, return_inverse=True)
        sizes: npt.NDArray[np.int64] = self._comparer.sizes(unique)[places]
        return sizes
