"""Runs of equal keys, whole: the members of each band key that several documents share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeySet
from gpucurate.ops.grouping import sort_pairs

Ids = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


PAIR_BYTES = 96
"""Memory a pair of key and document: to sort it, and to verify what it makes."""


def key_runs(keys: KeySet, bands: int, wanted: Mask, memory: int) -> Iterator[tuple[Keys, Ids]]:
    """Keys that two and more of the wanted documents share, band by band, in parts of the key space.

    Args:
        keys: of all units.
        bands: keys a document.
        wanted: bool[records]; others are passed over.
        memory: bytes for a part and what is done with it; one run of equal keys is never cut.

    Yields:
        Sorted keys (uint64[n]) and their documents (uint32[n]), ascending within a key.

    Raises:
        StorageError: a key file is not whole.
    """
    parts = -(-int(np.count_nonzero(wanted)) * PAIR_BYTES // memory) or 1
    edges = [part * 2**64 // parts for part in range(parts + 1)]
    for band in range(bands):
        for low, high in pairwise(edges):
            yield sorted_runs(*_gather(keys, band, wanted, None if parts == 1 else (low, high - 1)))


def sorted_runs(words: Keys, ids: Ids) -> tuple[Keys, Ids]:
    """Sorted keys with their documents, without those that nobody shares.

    Args:
        words: uint64[n]; overwritten.
        ids: uint32[n], ascending; overwritten.
    """
    words, ids = sort_pairs(words, ids, np.empty_like(words), np.empty_like(ids))
    shared = _is_shared(words)
    return words[shared], ids[shared]


def _gather(keys: KeySet, band: int, wanted: Mask, span: tuple[int, int] | None) -> tuple[Keys, Ids]:
    words, ids = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint32)]
    for base, file in keys.files():
        for block in file.blocks:
            column, documents = np.empty(block.documents, np.uint64), np.empty(block.documents, np.uint32)
            file.read_ids(block, documents)
            file.read_keys(block, band, column)
            documents += np.uint32(base)
            mask = wanted[documents]
            if span is not None:
                mask &= (column >= np.uint64(span[0])) & (column <= np.uint64(span[1]))
            words.append(column[mask])
            ids.append(documents[mask])
    return np.concatenate(words), np.concatenate(ids)


def _is_shared(words: Keys) -> Mask:
    """Whether each of the sorted keys equals a neighbour."""
    shared = np.zeros(len(words), bool)
    if len(words):
        same = words[1:] == words[:-1]
        shared[1:] = same
        shared[:-1] |= same
    return shared
