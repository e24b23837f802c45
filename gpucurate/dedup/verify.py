"""Components of the pairs that are similar enough, rather than of all that share a key.

Within each run of equal keys of a band the smallest document leads, and every other one is
compared with it. Those that are not similar enough form the rest, whose smallest document leads the next
round, up to a bound; so a run of n documents costs at most 16 n comparisons, where all its
pairs would be n^2 / 2. What is compared depends on keys and texts alone: not on the order of bands, the
memory, or the threads.

A run that comes in parts has the same leaders: a document that is similar to none of those before it leads
from there on. So a leader has been compared with all that came before it and was not similar to an earlier
leader, and all that come later are compared with it, unless they are similar to an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_runs import Ids, KeyRuns, Keys
from gpucurate.dedup.pair_table import pack, unpack
from gpucurate.dedup.similarity import Similarities
from gpucurate.dedup.verification import ROUNDS
from gpucurate.ops.union_find import flatten, hook_pairs, new_parents


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
    records: int, runs: Iterable[KeyRuns], similarities: Similarities, threshold: float
) -> VerifiedComponents:
    """Join the documents of pairs that share a key and reach the threshold.

    Args:
        records: of the input.
        runs: of each band, runs of equal keys.
        similarities: of pairs.
        threshold: of similarity.

    Raises:
        StorageError: keys or texts cannot be read.
    """
    parents, discarded = new_parents(records), 0
    long = _LongRun(similarities, threshold, parents)
    for part in runs:
        if part.goes_on or long.is_open:
            discarded += long.join(part.ids, goes_on=part.goes_on)
        else:
            discarded += _join_runs(part.words, part.ids, similarities, threshold, parents)
    flatten(parents)
    return VerifiedComponents(parents, discarded)


class _LongRun:
    """A run of one key that comes in parts.

    Args:
        similarities: of pairs.
        threshold: of similarity.
        parents: uint32[records], in which similar documents are joined.
    """

    def __init__(self, similarities: Similarities, threshold: float, parents: Ids) -> None:
        self._similarities = similarities
        self._threshold = threshold
        self._parents = parents
        self._leaders: list[np.uint32] = []
        self._left = 0

    @property
    def is_open(self) -> bool:
        """Whether a run has begun and not ended."""
        return bool(self._leaders)

    def join(self, ids: Ids, *, goes_on: bool) -> int:
        """Verify the next documents (uint32[n], ascending) of the run.

        Returns:
            Once the run ends, how many documents the bound has left without a leader; before, 0.
        """
        for number in range(ROUNDS):
            if number == len(self._leaders) and len(ids):
                self._leaders.append(ids[0])
                ids = ids[1:]
            if not len(ids):
                break
            ids = self._others(self._leaders[number], ids)
        self._left += len(ids)
        if goes_on:
            return 0
        left, self._left, self._leaders = self._left, 0, []
        return left if left > 1 else 0  # one alone has nobody to be compared with

    def _others(self, leader: np.uint32, ids: Ids) -> Ids:
        """Join those that are similar to the leader; the others."""
        similar = self._similarities(pack(np.full(len(ids), leader), ids)) >= self._threshold
        near = ids[similar]
        hook_pairs(np.full(len(near), leader), near, self._parents)
        return ids[~similar]


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
