"""Which member of each cluster is kept: a policy over clusters that are already found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeySet
from gpucurate.ops.survivors import choose_survivors, count_members
from gpucurate.spec.errors import ConfigurationError

Keep = Literal["first", "longest", "shortest"]
KEEP: tuple[Keep, ...] = get_args(Keep)

Ids = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters and their survivors, as arrays over all records.

    Attributes:
        labels: uint32[n], the smallest record of the cluster of each record.
        sizes: uint32[n], at a label the members of its cluster; 1 for a record alone.
        survivors: uint32[n], at a label the member that is kept.
    """

    labels: Ids
    sizes: Ids
    survivors: Ids

    @property
    def count(self) -> int:
        """Clusters of two documents and more."""
        return int(np.count_nonzero(self.sizes > 1))

    @property
    def duplicates(self) -> int:
        """Documents that are not kept."""
        return len(self.labels) - int(np.count_nonzero(self.sizes))

    def is_kept(self, first: int, stop: int) -> npt.NDArray[np.bool_]:
        """Whether each record of ``first .. stop`` survives; a record alone always does."""
        survivors: npt.NDArray[np.bool_] = self.survivors[self.labels[first:stop]] == np.arange(first, stop)
        return survivors

    def largest(self, count: int) -> Ids:
        """Labels of the ``count`` largest clusters of two and more, the largest first."""
        many = np.flatnonzero(self.sizes > 1)
        order = np.lexsort((many, -self.sizes[many].astype(np.int64)))[:count]
        return many[order].astype(np.uint32)


def choose(labels: Ids, keys: KeySet, keep: Keep) -> Clusters:
    """Choose the survivors.

    Args:
        labels: as :func:`find_components` gives them.
        keys: of all units, for the lengths of documents.
        keep: ``first``: the smallest id; ``longest`` or ``shortest``: by characters of the
            text, and of equals the smallest id.

    Raises:
        ConfigurationError: not a policy.
    """
    check_keep(keep)
    sizes = count_members(labels)
    if keep == "first":
        return Clusters(labels, sizes, np.arange(len(labels), dtype=np.uint32))
    survivors = np.arange(len(labels), dtype=np.uint32)
    best = np.zeros(len(labels), np.uint32)
    for base, file in keys.files():
        for first, lengths in file.lengths():
            choose_survivors(labels, base + first, keep_values(lengths, keep), survivors, best)
    return Clusters(labels, sizes, survivors)


def check_keep(keep: str) -> None:
    """Whether ``keep`` is a policy.

    Raises:
        ConfigurationError: it is not.
    """
    if keep not in KEEP:
        raise ConfigurationError(f"keep={keep!r} is not a policy: choose {', '.join(KEEP)}")


def keep_values(lengths: Ids, keep: Keep) -> Ids:
    """Values of which the largest survives.

    Args:
        lengths: uint32, characters plus one; 0 for a record that is no document, which stays 0.
        keep: a policy.
    """
    if keep == "longest":
        return lengths
    shorter = np.uint32(2**32 - 1) - lengths + np.uint32(1)
    values: Ids = np.where(lengths == 0, lengths, shorter if keep == "shortest" else np.uint32(1))
    return values
