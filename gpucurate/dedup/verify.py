"""Components of the pairs that are similar enough, rather than of all that share a key.

Within each run of equal keys of a band the smallest document leads, and every other one is
compared with it. Those that are not similar enough form the rest, whose smallest document leads the next
round, up to a bound; so a run of n documents costs at most 16 n comparisons, where all its
pairs would be n^2 / 2. What is compared depends on keys and texts alone: not on the order of bands, the
memory, or the threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.pair_table import pack, unpack
from gpucurate.dedup.similarity import Similarities
from gpucurate.dedup.verification import ROUNDS
from gpucurate.ops.union_find import flatten, hook_pairs, new_parents

Ids = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class VerifiedComponents:
    """What verification leaves.

    Attributes:
        labels: uint32[records], the smallest document of each one's component.
        discarded: how often a document was still without a similar leader when the rounds of a run ended.
    """

    labels: Ids
    discarded: int


def verified_components(
    records: int, runs: Iterable[tuple[Keys, Ids]], similarities: Similarities, threshold: float
) -> VerifiedComponents:
    """Join the documents of pairs that share a key and reach the threshold.

    Args:
        records: of the input.
        runs: of each band, whole runs of equal keys: sorted keys (uint64[n]) and their documents
            (uint32[n]), ascending within a key.
        similarities: of pairs.
        threshold: of similarity.

    Raises:
        StorageError: keys or texts cannot be read.
    """
    parents = new_parents(records)
    discarded = sum(_join_runs(words, ids, similarities, threshold, parents) for words, ids in runs)
    flatten(parents)
    return VerifiedComponents(parents, discarded)


def _join_runs(words: Keys, ids: Ids, similarities: Similarities, threshold: float, parents: Ids) -> int:
    """Verify whole runs of equal keys; how many documents the bound leaves without a leader."""
    for _ in range(ROUNDS):
        if not len(ids):
            return 0
        leaders, is_leader = _leaders(words, ids)
        words, pairs = words[~is_leader], pack(leaders[~is_leader], ids[~is_leader])
        similar = similarities(pairs) >= threshold
        hook_pairs(*unpack(pairs[similar]), parents)
        words, ids = words[~similar], unpack(pairs[~similar])[1]
        words, ids = _without_lone(words, ids)
    return len(ids)


def _leaders(words: Keys, ids: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """First document of each one's run, and whether it is that itself."""
    is_first = np.concatenate(([True], words[1:] != words[:-1]))
    starts = np.flatnonzero(is_first)
    return np.repeat(ids[starts], np.diff(np.append(starts, len(ids)))), is_first


def _without_lone(words: Keys, ids: Ids) -> tuple[Keys, Ids]:
    """Without documents that have nobody left to be compared with."""
    if not len(words):
        return words, ids
    differs = words[1:] != words[:-1]
    lone = np.concatenate(([True], differs)) & np.concatenate((differs, [True]))
    return words[~lone], ids[~lone]
