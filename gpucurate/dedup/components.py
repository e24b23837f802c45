"""Equal keys to components: no edge list, no pairs, memory of one pass.

For each band the (key, document) pairs are sorted and each run of equal keys is hooked to
its smallest document in a union-find array that lives for the whole run, 4 bytes a document.
A band that does not fit the budget is done in several passes, each over the keys of one part
of the key space. The result depends neither on the passes nor on the order in which they end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeySet
from gpucurate.ops.grouping import sort_hashes, sort_pairs
from gpucurate.ops.union_find import flatten, hook_runs, hook_runs128, new_parents

Ids = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]

PAIR_BYTES = 24
"""Of a pass over single keys: key and id, and the same again to sort them into."""

HASH_BYTES = 56
"""Of a pass over 128-bit hashes: two words and id, sorted copies, order."""

LEAST_PAIRS = 1 << 18
"""A pass smaller than this costs more in reading than it saves in memory."""

SCRATCH_PER_RECORD = 16
"""Bytes a record that all passes together may take unless the budget is lower."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """Keys of one band whose first word lies in [low, high]."""

    band: int
    low: int
    high: int
    whole: bool


def find_components(
    keys: KeySet,
    bands: int,
    *,
    wide: bool,
    memory: int,
    threads: int,
) -> Ids:
    """Label every record with the smallest record of its component.

    Args:
        keys: of all units.
        bands: keys a document; with ``wide`` the two words of one key.
        wide: whether keys are 128 bits.
        memory: bytes for all passes together.
        threads: passes at a time.

    Returns:
        uint32[records].

    Raises:
        ConfigurationError: 2^32 records or more.
        StorageError: a key file is not whole.
    """
    parents = new_parents(keys.records)
    documents = sum(file.documents for _, file in keys.files())
    passes = list(_passes(documents, bands, wide, memory=_pass_memory(keys.records, memory, threads)))
    lock = threading.Lock()
    run = _hook_hashes if wide else _hook_keys
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(run, keys, one, parents, lock) for one in passes]
        try:
            for job in as_completed(jobs):
                job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    flatten(parents)
    return parents


def _pass_memory(records: int, memory: int, threads: int) -> int:
    return min(memory, SCRATCH_PER_RECORD * records) // threads


def _passes(documents: int, bands: int, wide: bool, memory: int) -> Iterator[_Pass]:
    size = HASH_BYTES if wide else PAIR_BYTES
    parts = -(-documents // max(LEAST_PAIRS, memory // size)) or 1
    edges = [part * 2**64 // parts for part in range(parts + 1)]
    for band in range(1 if wide else bands):
        for low, high in pairwise(edges):
            yield _Pass(band, low, high - 1, parts == 1)


def _hook_keys(keys: KeySet, one: _Pass, parents: Ids, lock: threading.Lock) -> None:
    words, ids = _gather(keys, one, [one.band])
    sorted_keys, sorted_ids = sort_pairs(words[0], ids, np.empty_like(words[0]), np.empty_like(ids))
    with lock:
        hook_runs(sorted_keys, sorted_ids, parents)


def _hook_hashes(keys: KeySet, one: _Pass, parents: Ids, lock: threading.Lock) -> None:
    words, ids = _gather(keys, one, [0, 1])
    high, low, sorted_ids = sort_hashes(np.ascontiguousarray(words.T), ids)
    with lock:
        hook_runs128(high, low, sorted_ids, parents)


def _gather(keys: KeySet, one: _Pass, bands: list[int]) -> tuple[Keys, Ids]:
    """Keys (uint64[len(bands), n]) and ids of a pass, in order of ids."""
    chunks = [_select(words, ids, one) for words, ids in _blocks(keys, bands)]
    if not chunks:
        return np.empty((len(bands), 0), np.uint64), np.empty(0, np.uint32)
    return np.concatenate([words for words, _ in chunks], axis=1), np.concatenate([ids for _, ids in chunks])


def _blocks(keys: KeySet, bands: list[int]) -> Iterator[tuple[Keys, Ids]]:
    for base, file in keys.files():
        for block in file.blocks:
            words, ids = (
                np.empty((len(bands), block.documents), np.uint64),
                np.empty(block.documents, np.uint32),
            )
            file.read_ids(block, ids)
            for row, band in enumerate(bands):
                file.read_keys(block, band, words[row])
            yield words, ids + np.uint32(base)


def _select(words: Keys, ids: Ids, one: _Pass) -> tuple[Keys, Ids]:
    if one.whole:
        return words, ids
    mask = (words[0] >= np.uint64(one.low)) & (words[0] <= np.uint64(one.high))
    return words[:, mask], ids[mask]
