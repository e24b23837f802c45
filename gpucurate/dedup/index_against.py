"""New documents among old ones: which clusters an index has a member of already.

Documents are grouped together, old ones first, so that a cluster with an old member has the label of
an old one. What comes after, artefacts and output, is about the new documents alone.
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
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class OldMembers:
    """The clusters of new documents that old ones belong to.

    Attributes:
        clusters: int64[m], their labels, ascending.
        first: uint32[m], the smallest old document of each.
        counts: uint32[m], the old documents of each.
    """

    clusters: npt.NDArray[np.int64]
    first: Ids
    counts: Ids


def let_old_survive(clusters: Clusters, old: int) -> None:
    """Have the smallest old document survive wherever there is one, in place.

    Args:
        clusters: of old and new documents, old ones first.
        old: how many there are of those.
    """
    clusters.survivors[:old] = np.arange(old, dtype=np.uint32)


def leave_out_old(clusters: Clusters, old: int) -> tuple[Clusters, OldMembers]:
    """The clusters of the new documents alone, which still count their old members.

    Args:
        clusters: of old and new documents, old ones first; of each with an old one, an old one survives.
        old: how many there are of those.

    Returns:
        Clusters of new documents, by their ids among these; and those that have old members.
    """
    labels, first_new = _new_labels(clusters.labels, old)
    roots = np.flatnonzero(first_new != NONE)
    roots = roots[np.argsort(first_new[roots])]
    in_cluster = first_new[roots].astype(np.int64)
    sizes = count_members(labels)
    members = OldMembers(in_cluster, roots.astype(np.uint32), clusters.sizes[roots] - sizes[in_cluster])
    survivors = clusters.survivors[old:] - np.uint32(old)  # of the others it wraps around; they are next
    similarity = None if clusters.similarity is None else clusters.similarity[old:]
    survivors[in_cluster] = ELSEWHERE
    sizes[in_cluster] += members.counts
    return Clusters(labels, sizes, survivors, similarity), members


def _new_labels(labels: Ids, old: int) -> tuple[Ids, Ids]:
    """Labels of the new documents by the smallest new one; and at each old label that, or 2^32-1."""
    new = len(labels) - old
    found, first_new = np.empty(new, np.uint32), np.full(old, NONE, np.uint32)
    for first, roots in _steps(labels[old:]):
        hits = np.flatnonzero(roots < old)
        np.minimum.at(first_new, roots[hits], (first + hits).astype(np.uint32))
    for first, roots in _steps(labels[old:]):
        hits = np.flatnonzero(roots < old)
        part = found[first : first + len(roots)]
        np.subtract(roots, np.uint32(old), out=part)  # wraps around for hits, which are replaced
        part[hits] = first_new[roots[hits]]
    return found, first_new


def _steps(labels: Ids) -> Iterator[tuple[int, Ids]]:
    for first in range(0, len(labels), _STEP):
        yield first, labels[first : first + _STEP]
