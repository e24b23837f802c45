"""New documents among old ones: which clusters an index has a member of already.

Documents are grouped together, old ones first, so that a cluster with an old member has the label of
an old one. What comes after, survivors and artefacts, is about the new documents alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.survivors import ELSEWHERE, Clusters
from gpucurate.ops.survivors import count_members

Ids = npt.NDArray[np.uint32]

NONE = 2**32 - 1
_STEP = 1 << 22


@dataclass(frozen=True, slots=True)
class Folded:
    """Labels of the new documents alone, and what became of the old ones.

    Attributes:
        labels: uint32[new], the smallest new document of the cluster of each.
        old_ids: uint32[new], at a label the smallest old document of the cluster; 2^32-1 for none.
        old_members: uint32[new], at a label the old documents of the cluster.
    """

    labels: Ids
    old_ids: Ids
    old_members: Ids

    @property
    def clusters(self) -> npt.NDArray[np.int64]:
        """Labels of the clusters with an old member, ascending."""
        return np.flatnonzero(self.old_members)


def fold_old(labels: Ids, old: int) -> Folded:
    """Leave the old documents out of labels that were found with them.

    Args:
        labels: uint32[old + new], as ``find_components`` gives them; old documents first.
        old: how many there are of those.
    """
    new = len(labels) - old
    members = count_members(labels[:old])
    first_new = np.full(old, NONE, np.uint32)
    folded = Folded(np.empty(new, np.uint32), np.full(new, NONE, np.uint32), np.zeros(new, np.uint32))
    for first, stop in _steps(new):
        roots = labels[old + first : old + stop]
        hits = np.flatnonzero(roots < old)
        np.minimum.at(first_new, roots[hits], (first + hits).astype(np.uint32))
    for first, stop in _steps(new):
        roots = labels[old + first : old + stop]
        hits = np.flatnonzero(roots < old)
        part = folded.labels[first:stop]
        np.subtract(roots, np.uint32(old), out=part)  # wraps around for hits, which are replaced
        part[hits] = first_new[roots[hits]]
        folded.old_ids[part[hits]] = roots[hits]
        folded.old_members[part[hits]] = members[roots[hits]]
    return folded


def leave_to_old(clusters: Clusters, labels: npt.NDArray[np.int64], old_members: Ids) -> None:
    """Have an old member of some clusters survive, and no new one; old ones count as members.

    Args:
        clusters: of new documents; changed.
        labels: int64[m], of the clusters that have old members.
        old_members: uint32[m], how many.
    """
    clusters.survivors[labels] = ELSEWHERE
    clusters.sizes[labels] += old_members


def _steps(total: int) -> Iterator[tuple[int, int]]:
    for first in range(0, total, _STEP):
        yield first, min(total, first + _STEP)
