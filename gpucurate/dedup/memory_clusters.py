"""Clusters of keys that are all in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.survivors import Clusters, Ranks
from gpucurate.ops.grouping import sort_hashes, sort_pairs
from gpucurate.ops.survivors import choose_survivors, count_members
from gpucurate.ops.union_find import flatten, hook_runs, hook_runs128, new_parents


def group_in_memory(
    keys: npt.NDArray[np.uint64],
    has_keys: npt.NDArray[np.bool_],
    *,
    wide: bool,
    ranks: Ranks,
) -> Clusters:
    """Clusters of documents that share a key, and their survivors.

    Args:
        keys: uint64[n, bands], or the two words of one key.
        has_keys: bool[n].
        wide: whether keys are the two words of one.
        ranks: uint32 or uint64[n], above 0: of a cluster the largest survives, of equals the first.

    Raises:
        ConfigurationError: 2^32 documents or more.
    """
    parents = new_parents(len(keys))
    ids = np.flatnonzero(has_keys).astype(np.uint32)
    if wide:
        hook_runs128(*sort_hashes(np.ascontiguousarray(keys[has_keys]), ids), parents)
    else:
        for band in range(keys.shape[1]):
            column, members = np.ascontiguousarray(keys[has_keys, band]), ids.copy()
            hook_runs(*sort_pairs(column, members, np.empty_like(column), np.empty_like(members)), parents)
    flatten(parents)
    return choose_in_memory(parents, ranks)


def choose_in_memory(labels: npt.NDArray[np.uint32], ranks: Ranks) -> Clusters:
    """Choose the survivors.

    Args:
        labels: uint32[n], the smallest member of the cluster of each document.
        ranks: as :func:`group_in_memory` takes them.
    """
    survivors, best = np.arange(len(labels), dtype=np.uint32), np.zeros(len(labels), ranks.dtype)
    choose_survivors(labels, 0, ranks, survivors, best)
    return Clusters(labels, count_members(labels), survivors)
