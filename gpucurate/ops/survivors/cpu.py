"""Clusters and survivors on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.buffers import read_only
from gpucurate.ops.compiled import kernel

Ids = npt.NDArray[np.uint32]
Ranks = npt.NDArray[np.uint32] | npt.NDArray[np.uint64]


def count_members(labels: Ids) -> Ids:
    """See the contract."""
    counts = np.zeros(len(labels), np.uint32)
    _count(read_only(labels, np.uint32), counts)
    return counts


def choose_survivors(labels: Ids, first: int, ranks: Ranks, survivors: Ids, best: Ranks) -> None:
    """See the contract."""
    _choose(read_only(labels, np.uint32), first, read_only(ranks, best.dtype.type), survivors, best)


@kernel
def _count(labels: Ids, counts: Ids) -> None:
    for i in range(len(labels)):
        counts[labels[i]] += np.uint32(1)


@kernel
def _choose(labels: Ids, first: int, ranks: Ranks, survivors: Ids, best: Ranks) -> None:
    for i in range(len(ranks)):
        label = labels[first + i]
        if ranks[i] > best[label]:  # strictly: of equals the earlier stays
            best[label] = ranks[i]
            survivors[label] = np.uint32(first + i)
