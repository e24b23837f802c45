"""Runs of equal keys: the members of each band key that several documents share, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.band_pairs import BandPairs
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.key_ranges import KeyRange
from gpucurate.ops.grouping import sort_pairs

Ids = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


PAIR_BYTES = 128
"""Memory a pair of key and document: to sort it, and to verify what it makes."""

LEAST_PAIRS = 1 << 14
"""Less than so many pairs at a time cost more in passes over the keys than they save in memory."""


@dataclass(frozen=True, slots=True)
class KeyRuns:
    """Sorted keys and their documents, ascending within a key.

    Attributes:
        words: uint64[n].
        ids: uint32[n].
        goes_on: whether all keys are one, and more documents of it come next.
    """

    words: Keys
    ids: Ids
    goes_on: bool = False


def key_runs(keys: KeySet, bands: int, wanted: Mask, memory: int) -> Iterator[KeyRuns]:
    """Keys that two and more of the wanted documents share, band by band, in parts of the key space.

    A key that more documents have than fit comes in several parts, of nothing else.

    Args:
        keys: of all units.
        bands: keys a document.
        wanted: bool[records]; others are passed over.
        memory: bytes for a part and what is done with it.

    Raises:
        StorageError: a key file is not whole.
    """
    capacity = max(LEAST_PAIRS, memory // PAIR_BYTES)
    for band in range(bands):
        pairs = BandPairs(keys, band, wanted)
        for part in pairs.ranges(capacity):
            if part.pairs > capacity:
                yield from _one_key(pairs, part, capacity)
            else:
                yield KeyRuns(*sorted_runs(*pairs.gather(part)))


def sorted_runs(words: Keys, ids: Ids) -> tuple[Keys, Ids]:
    """Sorted keys with their documents, without those that nobody shares.

    Args:
        words: uint64[n]; overwritten.
        ids: uint32[n], ascending; overwritten.
    """
    words, ids = sort_pairs(words, ids, np.empty_like(words), np.empty_like(ids))
    shared = _is_shared(words)
    return words[shared], ids[shared]


def _one_key(pairs: BandPairs, part: KeyRange, capacity: int) -> Iterator[KeyRuns]:
    """The run of a single key, which needs no sorting, in parts of up to ``capacity`` documents."""
    ids, used, left = np.empty(capacity, np.uint32), 0, part.pairs
    for _, documents in pairs.blocks(part):
        done = 0
        while done < len(documents):
            taken = documents[done : done + capacity - used]
            ids[used : used + len(taken)] = taken
            used, done, left = used + len(taken), done + len(taken), left - len(taken)
            if used == capacity or not left:
                yield KeyRuns(np.full(used, part.low, np.uint64), ids[:used].copy(), goes_on=left > 0)
                used = 0


def _is_shared(words: Keys) -> Mask:
    """Whether each of the sorted keys equals a neighbour."""
    shared = np.zeros(len(words), bool)
    if len(words):
        same = words[1:] == words[:-1]
        shared[1:] = same
        shared[:-1] |= same
    return shared
