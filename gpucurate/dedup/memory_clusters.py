"""Clusters of keys that are all in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.survivors import Clusters, Keep, keep_values
from gpucurate.ops.grouping import sort_hashes, sort_pairs
from gpucurate.ops.survivors import choose_survivors, count_members
from gpucurate.ops.union_find import flatten, hook_runs, hook_runs128, new_parents


def group_in_memory(
    keys: npt.NDArray[np.uint64],
    has_keys: npt.NDArray[np.bool_],
    *,
    wide: bool,
    lengths: npt.NDArray[np.int64],
    keep: Keep,
) -> Clusters:
    """Clusters of documents that share a key, and their survivors.

    Args:
        keys: uint64[n, bands], or the two words of one key.
        has_keys: bool[n].
        wide: whether keys are the two words of one.
        lengths: int64[n], characters of each document.
        keep: ``first``, ``longest`` or ``shortest``.

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
    survivors, best = np.arange(len(parents), dtype=np.uint32), np.zeros(len(parents), np.uint32)
    values = keep_values(np.minimum(lengths + 1, 2**32 - 1).astype(np.uint32), keep)
    choose_survivors(parents, 0, values, survivors, best)
    return Clusters(parents, count_members(parents), survivors)
