"""Clusters of keys that are all on a device, as those of a frame there."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.dedup.survivors import Clusters, Ranks
from gpucurate.ops.cuda import CUDA, Device
from gpucurate.ops.grouping import check_document_count
from gpucurate.ops.survivors.cuda import choose_survivors, count_members
from gpucurate.ops.union_find.cuda import flatten, hook_equal


def group_on_device(keys: Any, has_keys: Any, *, wide: bool, ranks: Ranks, device: Device = CUDA) -> Clusters:
    """As ``group_in_memory``, of arrays of a device; the clusters come to the host.

    Args:
        keys: uint64[n, bands], or the two words of one key, on the device.
        has_keys: bool[n], there.
        wide: whether keys are the two words of one.
        ranks: uint32 or uint64[n] of the host, above 0: of a cluster the largest survives, of
            equals the first.
        device: where the arrays lie.

    Raises:
        ConfigurationError: 2^32 documents or more.
    """
    xp, count = device.xp, len(keys)
    check_document_count(count)
    parents = xp.arange(count, dtype=np.uint32)
    ids = xp.flatnonzero(has_keys).astype(np.uint32)
    words = xp.ascontiguousarray(keys[has_keys].T)
    step = 2 if wide else 1
    for first in range(0, len(words), step):
        hook_equal(words[first : first + step], ids, parents, device)
    flatten(parents, device)
    survivors, best = xp.arange(count, dtype=np.uint32), xp.zeros(count, ranks.dtype)
    choose_survivors(parents, 0, device.to_device(ranks), survivors, best, device)
    sizes = count_members(parents, device)
    return Clusters(*map(device.to_host, (parents, sizes, survivors)))
