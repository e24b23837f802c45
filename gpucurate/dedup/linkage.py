"""What stays together in a cluster: all that is connected, or only what is like the survivor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.pair_table import pack
from gpucurate.dedup.similarity import Similarities
from gpucurate.dedup.survivors import Clusters
from gpucurate.dedup.verification import Verification

Ids = npt.NDArray[np.uint32]
Similarity = npt.NDArray[np.float32]
Choose = Callable[[Ids], Clusters]
"""From labels (uint32[n], smallest member of the cluster of each record) to clusters with survivors."""

LINKAGE_ROUNDS = 256
"""Survivors that a component is split among at most; what is left after them stays alone."""

_NOBODY = np.uint32(2**32 - 1)
_STEP = 1 << 18


def link(
    labels: Ids, choose: Choose, similarities: Similarities, verification: Verification, old: int = 0
) -> Clusters:
    """Clusters with the similarity of each member to its survivor.

    Args:
        labels: uint32[n], of the components of accepted pairs; overwritten.
        choose: takes the survivors.
        similarities: of pairs.
        verification: linkage and threshold.
        old: documents of indexes, which come before the others and are not compared with each other.

    Raises:
        StorageError: what is compared cannot be read.
    """
    if verification.linkage == "survivor":
        return by_survivor(labels, choose, similarities, verification.least, old)
    return by_component(labels, choose, similarities, old)


def by_component(labels: Ids, choose: Choose, similarities: Similarities, old: int = 0) -> Clusters:
    """Clusters as components, and the similarity of each member to the survivor.

    Args:
        labels: uint32[n].
        choose: takes the survivors.
        similarities: of pairs.
        old: documents of indexes.

    Raises:
        StorageError: what is compared cannot be read.
    """
    clusters = choose(labels)
    found = np.full(len(labels), np.nan, np.float32)
    for members, survivors in _members(clusters, old):
        found[members] = similarities(pack(survivors, members))
    _of_survivors(clusters, found)
    return replace(clusters, similarity=found)


def by_survivor(
    labels: Ids, choose: Choose, similarities: Similarities, threshold: float, old: int = 0
) -> Clusters:
    """Clusters of which each member reaches the threshold with the survivor.

    Of each component the policy takes a survivor; members that are similar enough to it stay.
    Of the others the policy takes the next survivor, and so on. So each document that is dropped
    is similar to one that is kept. Documents of indexes are kept already: each is a survivor in its turn,
    and joins no other one, so that whatever is similar to any of them is dropped.

    Args:
        labels: uint32[n], of components; overwritten.
        choose: takes the survivors.
        similarities: of pairs.
        threshold: of similarity.
        old: documents of indexes; ``choose`` takes the smallest of those in a cluster.

    Raises:
        StorageError: what is compared cannot be read.
    """
    final = np.arange(len(labels), dtype=np.uint32)
    found = np.full(len(labels), np.nan, np.float32)
    for _ in range(LINKAGE_ROUNDS):
        clusters = choose(labels)
        if not clusters.count:
            break
        stays = _similar(clusters, similarities, threshold, found, old)
        _split(labels, clusters, stays, final, old)
    # Whatever the policy looks at, it has taken these survivors already: of the same members, the same.
    clusters = choose(final)
    _of_survivors(clusters, found)
    return replace(clusters, similarity=found)


def _members(clusters: Clusters, old: int) -> Iterator[tuple[Ids, Ids]]:
    """New members that do not survive, with the survivors of their clusters, slice by slice."""
    for ids in _slices(len(clusters.labels), old):
        labels = clusters.labels[ids]
        survivors = clusters.survivors[labels]
        others = (clusters.sizes[labels] > 1) & (survivors != ids)
        yield ids[others], survivors[others]


def _of_survivors(clusters: Clusters, found: Similarity) -> None:
    """Each survivor is similar to itself."""
    found[clusters.survivors[clusters.sizes > 1]] = 1.0


def _similar(
    clusters: Clusters, similarities: Similarities, threshold: float, found: Similarity, old: int
) -> npt.NDArray[np.bool_]:
    """Whether each record stays with the survivor of its cluster; notes the similarity of those."""
    stays = np.zeros(len(clusters.labels), bool)
    stays[clusters.survivors[clusters.sizes > 0]] = True
    for members, survivors in _members(clusters, old):
        values = similarities(pack(survivors, members))
        near = values >= threshold
        stays[members[near]] = True
        found[members[near]] = values[near]
    return stays


def _split(labels: Ids, clusters: Clusters, stays: npt.NDArray[np.bool_], final: Ids, old: int) -> None:
    """Enter clusters of those that stay in ``final``, and of the rest in ``labels``.

    Who stays is alone in ``labels`` from then on; so is a rest of old documents alone.
    """
    first_staying, first_leaving = _smallest(clusters, stays), _smallest(clusters, ~stays)
    goes_on = np.zeros(len(labels), bool)
    goes_on[labels[old:][~stays[old:]]] = True
    for ids in _slices(len(labels)):
        own = labels[ids]
        inside = clusters.sizes[own] > 1
        final[ids] = np.where(inside & stays[ids], first_staying[own], final[ids])
        labels[ids] = np.where(inside & ~stays[ids] & goes_on[own], first_leaving[own], ids)


def _smallest(clusters: Clusters, part: npt.NDArray[np.bool_]) -> Ids:
    """At each label the smallest member of its cluster that is in the part: uint32[n]."""
    smallest = np.full(len(part), _NOBODY)
    for ids in _slices(len(part)):
        chosen = ids[part[ids]]
        np.minimum.at(smallest, clusters.labels[chosen], chosen)
    return smallest


def _slices(count: int, start: int = 0) -> Iterator[Ids]:
    for first in range(start, count, _STEP):
        yield np.arange(first, min(first + _STEP, count), dtype=np.uint32)
