"""Which member of each cluster is kept: a policy over clusters that are already found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeyFile, KeySet
from gpucurate.dedup.policy import Policy, parse_policy
from gpucurate.dedup.ranks import length_ranks
from gpucurate.ops.survivors import choose_survivors, count_members

Ids = npt.NDArray[np.uint32]
Ranks = npt.NDArray[np.uint32] | npt.NDArray[np.uint64]

ELSEWHERE = 2**32 - 1
"""The survivor of a cluster that no member of this input survives of: it is in an index."""

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters and their survivors, as arrays over all records.

    Attributes:
        labels: uint32[n], the smallest record of the cluster of each record.
        sizes: uint32[n], at a label the members of its cluster; 1 for a record alone.
        survivors: uint32[n], at a label the member that is kept.
        similarity: float32[n], of each member to the survivor of its cluster; None if pairs were
            not verified.
    """

    labels: Ids
    sizes: Ids
    survivors: Ids
    similarity: npt.NDArray[np.float32] | None = None

    @property
    def count(self) -> int:
        """Clusters of two documents and more."""
        return int(np.count_nonzero(self.sizes > 1))

    @property
    def in_index(self) -> int:
        """Documents whose cluster has its survivor in an index."""
        steps = range(0, len(self.labels), _STEP)
        return sum(
            int(np.count_nonzero(self.survivors[self.labels[at : at + _STEP]] == ELSEWHERE)) for at in steps
        )

    @property
    def duplicates(self) -> int:
        """Documents that are not kept because another one of the input is."""
        steps = (slice(at, at + _STEP) for at in range(0, len(self.labels), _STEP))
        surviving = sum(
            int(np.count_nonzero((self.sizes[at] > 0) & (self.survivors[at] != ELSEWHERE))) for at in steps
        )
        return len(self.labels) - surviving - self.in_index

    def is_kept(self, first: int, stop: int) -> npt.NDArray[np.bool_]:
        """Whether each record of ``first .. stop`` survives; a record alone always does."""
        survivors: npt.NDArray[np.bool_] = self.survivors[self.labels[first:stop]] == np.arange(first, stop)
        return survivors

    def shown(self, label: int) -> int:
        """The member that stands for a cluster: the survivor, or the first where that is in an index."""
        survivor = int(self.survivors[label])
        return label if survivor == ELSEWHERE else survivor

    def largest(self, count: int) -> Ids:
        """Labels of the ``count`` largest clusters of two and more, the largest first."""
        found = np.zeros(0, np.int64)
        for first in range(0, len(self.sizes), _STEP):
            many = first + np.flatnonzero(self.sizes[first : first + _STEP] > 1)
            found = np.concatenate((found, many))
            found = found[np.lexsort((found, -self.sizes[found].astype(np.int64)))[:count]]
        return found.astype(np.uint32)


def choose(labels: Ids, keys: KeySet, keep: str) -> Clusters:
    """Choose the survivors.

    Args:
        labels: as :func:`find_components` gives them.
        keys: of all units, for the lengths of documents, or their ranks.
        keep: what decides, as :func:`~gpucurate.dedup.policy.parse_policy` reads it; of equals
            the smallest id survives.

    Raises:
        ConfigurationError: not a policy.
    """
    policy = parse_policy(keep)
    sizes = count_members(labels)
    survivors = np.arange(len(labels), dtype=np.uint32)
    if policy.kind == "first":
        return Clusters(labels, sizes, survivors)
    best: Ranks = np.zeros(len(labels), np.uint64) if policy.is_ranked else np.zeros(len(labels), np.uint32)
    for base, file in keys.files():
        for first, ranks in _ranks(file, policy):
            choose_survivors(labels, base + first, ranks, survivors, best)
    return Clusters(labels, sizes, survivors)


def _ranks(file: KeyFile, policy: Policy) -> Iterator[tuple[int, Ranks]]:
    """First record and ranks of each block, in order."""
    if policy.is_ranked:
        yield from file.ranks()
    else:
        for first, lengths in file.lengths():
            yield first, length_ranks(lengths, policy)
