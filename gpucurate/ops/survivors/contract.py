"""Sizes of clusters, and which member of each survives: definitions.

A cluster is the set of documents with one label; the label is its smallest document. The
survivor is the member with the largest (or smallest) value, and of equals the one with the
smallest id.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.dispatch import implementation

Ids = npt.NDArray[np.uint32]


def count_members(labels: Ids) -> Ids:
    """Size of the cluster of each label.

    Args:
        labels: uint32[n], each a document; ``union_find.flatten`` leaves them.

    Returns:
        uint32[n]: at a label, how many documents carry it; 0 elsewhere.
    """
    counts: Ids = implementation(__package__, labels).count_members(labels)
    return counts


def choose_survivors(labels: Ids, first: int, values: Ids, survivors: Ids, best: Ids) -> None:
    """Take documents ``first .. first+len(values)`` into account; call in ascending order.

    Args:
        labels: uint32[n].
        first: id of the first document of ``values``.
        values: uint32, a value for each document; the largest survives. 0 takes no part.
        survivors: uint32[n], at each label the survivor so far; updated.
        best: uint32[n], at each label the value of the survivor so far, at first 0; updated.
    """
    implementation(__package__, labels).choose_survivors(labels, first, values, survivors, best)
