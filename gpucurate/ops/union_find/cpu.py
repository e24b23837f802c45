"""Union-find on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.buffers import read_only
from gpucurate.ops.compiled import kernel

Keys = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]


def hook_runs(keys: Keys, ids: Ids, parents: Ids) -> int:
    """See the contract."""
    return int(_hook_runs(read_only(keys, np.uint64), read_only(ids, np.uint32), parents))


def hook_runs128(high: Keys, low: Keys, ids: Ids, parents: Ids) -> int:
    """See the contract."""
    columns = read_only(high, np.uint64), read_only(low, np.uint64), read_only(ids, np.uint32)
    return int(_hook_runs128(*columns, parents))


def hook_pairs(left: Ids, right: Ids, parents: Ids) -> int:
    """See the contract."""
    return int(_hook_pairs(read_only(left, np.uint32), read_only(right, np.uint32), parents))


def flatten(parents: Ids) -> None:
    """See the contract."""
    _flatten(parents)


@kernel
def _find(parents: Ids, document: np.uint32) -> np.uint32:
    """The root of a document's component; every other link on the way is shortened."""
    parent = parents[document]
    while parent != document:
        grandparent = parents[parent]
        parents[document] = grandparent
        document, parent = grandparent, parents[grandparent]
    return document


@kernel
def _union(parents: Ids, first: np.uint32, second: np.uint32) -> int:
    """Join two components; 1 if they were two."""
    a, b = _find(parents, first), _find(parents, second)
    if a == b:
        return 0
    parents[max(a, b)] = min(a, b)
    return 1


@kernel
def _hook_runs(keys: Keys, ids: Ids, parents: Ids) -> int:
    merges = 0
    for i in range(1, len(keys)):
        if keys[i] == keys[i - 1]:
            merges += _union(parents, ids[i - 1], ids[i])
    return merges


@kernel
def _hook_runs128(high: Keys, low: Keys, ids: Ids, parents: Ids) -> int:
    merges = 0
    for i in range(1, len(high)):
        if high[i] == high[i - 1] and low[i] == low[i - 1]:
            merges += _union(parents, ids[i - 1], ids[i])
    return merges


@kernel
def _hook_pairs(left: Ids, right: Ids, parents: Ids) -> int:
    merges = 0
    for i in range(len(left)):
        merges += _union(parents, left[i], right[i])
    return merges


@kernel
def _flatten(parents: Ids) -> None:
    """In ascending order a parent is final before its children are reached."""
    for document in range(len(parents)):
        parents[document] = parents[parents[document]]
