"""Sizes of clusters, and which member of each survives: definitions.

A cluster is the set of documents with one label; the label is its smallest document. The
survivor is the member with the largest rank, and of equals the one with the smallest id.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.dispatch import implementation

Ids = npt.NDArray[np.uint32]
Ranks = npt.NDArray[np.uint32] | npt.NDArray[np.uint64]


def count_members(labels: Ids) -> Ids:
    """Size of the cluster of each label.

    Args:
        labels: uint32[n], each a document; ``union_find.flatten`` leaves them.

    Returns:
        uint32[n]: at a label, how many documents carry it; 0 elsewhere.
    """
    counts: Ids = implementation(__package__, labels).count_members(labels)
    return counts


def choose_survivors(labels: Ids, first: int, ranks: Ranks, survivors: Ids, best: Ranks) -> None:
    """Take documents ``first .. first+len(ranks)`` into account; call in ascending order.

    Args:
        labels: uint32[n].
        first: id of the first document of ``ranks``.
        ranks: uint32 or uint64, one a document; the largest survives. 0 takes no part.
        survivors: uint32[n], at each label the survivor so far; updated.
        best: of the type of ``ranks``, [n], at each label the rank of the survivor so far, at
            first 0; updated.
    """
    implementation(__package__, labels).choose_survivors(labels, first, ranks, survivors, best)
