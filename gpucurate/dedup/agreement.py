"""How far two clusterings of the same documents agree.

Pair counting: W. M. Rand, "Objective criteria for the evaluation of clustering methods", JASA 1971;
the adjusted Rand index: L. Hubert and P. Arabie, "Comparing partitions", Journal of
Classification 1985. Time and memory grow with the documents that are in clusters, not with pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Clustering:
    """The documents of clusters of two and more.

    Attributes:
        places: int64[n], each once: what a document is known by in both clusterings.
        labels: int64[n], its cluster.
    """

    places: Places
    labels: Labels


@dataclass(frozen=True, slots=True)
class Side:
    """What became of the clusters of one clustering in the other.

    Attributes:
        clusters: of two documents and more.
        documents: in them.
        equal: clusters that the other has too.
        split: clusters whose documents lie in several clusters of the other, or alone.
        merged: clusters that lie whole in a larger one of the other.
        pairs: pairs of documents that share a cluster.
    """

    clusters: int
    documents: int
    equal: int
    split: int
    merged: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a second clustering agrees with a first, which is taken for the truth.

    Attributes:
        documents: of the corpus, alone or not.
        in_both: documents that are in a cluster in both.
        first: what became of the clusters of the first.
        second: what became of those of the second.
        pairs: pairs that share a cluster in both.
    """

    documents: int
    in_both: int
    first: Side
    second: Side
    pairs: int

    @property
    def precision(self) -> float:
        """Share of the second's pairs that the first has too; 1 where there are none."""
        return self.pairs / self.second.pairs if self.second.pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the first's pairs that the second has too; 1 where there are none."""
        return self.pairs / self.first.pairs if self.first.pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two: pairs of both over the mean of pairs."""
        total = self.first.pairs + self.second.pairs
        return 2 * self.pairs / total if total else 1.0

    @property
    def adjusted_rand_index(self) -> float:
        """1 for equal clusterings, 0 for what chance alone would give."""
        all_pairs = self.documents * (self.documents - 1) // 2
        mean = (self.first.pairs + self.second.pairs) / 2
        expected = self.first.pairs * self.second.pairs / all_pairs if all_pairs else 0.0
        return (self.pairs - expected) / (mean - expected) if mean != expected else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        sides = {name: _values(side) for name, side in (("first", self.first), ("second", self.second))}
        return {
            "documents": self.documents,
            "documents_in_both": self.in_both,
            "pairs_in_both": self.pairs,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "adjusted_rand_index": self.adjusted_rand_index,
            **sides,
        }


def _values(side: Side) -> dict[str, int]:
    return {name: getattr(side, name) for name in Side.__slots__}


class Table:
    """The contingency table of two clusterings, over the documents of both.

    A document that is in a cluster of one alone is a cluster of its own in the other.

    Args:
        first: taken for the truth.
        second: compared with it.
    """

    def __init__(self, first: Clustering, second: Clustering) -> None:
        self.places: Places = np.union1d(first.places, second.places)
        self.first = _codes(self.places, first)
        self.second = _codes(self.places, second)
        width = int(self.second.max(initial=0)) + 1
        cells, counts = np.unique(self.first * width + self.second, return_counts=True)
        self.cells: tuple[Labels, Labels] = cells // width, cells % width
        self.counts: Labels = counts.astype(np.int64)
        self._in_both = len(first.places) + len(second.places) - len(self.places)

    def agreement(self, documents: int) -> Agreement:
        """How far the two agree.

        Args:
            documents: of the corpus, alone or not.
        """
        sizes = np.bincount(self.first), np.bincount(self.second)
        first, second = self.cells
        return Agreement(
            max(documents, len(self.places)),
            self._in_both,
            self._side(first, sizes[0], sizes[1][second]),
            self._side(second, sizes[1], sizes[0][first]),
            _pairs(self.counts),
        )

    def _side(self, of: Labels, sizes: Labels, others: Labels) -> Side:
        """Args: cluster of each cell, sizes of clusters, size of the cell's cluster in the other."""
        many = sizes > 1
        parts = np.bincount(of, minlength=len(sizes))
        whole = parts[of] == 1
        equal = int(np.count_nonzero(many[of] & whole & (others == self.counts)))
        split = int(np.count_nonzero(many & (parts > 1)))
        clusters = int(np.count_nonzero(many))
        return Side(clusters, int(sizes[many].sum()), equal, split, clusters - equal - split, _pairs(sizes))

    def split_in_second(self, count: int) -> list[tuple[int, int]]:
        """Two documents that only the first puts together, by place, of each of its largest clusters."""
        return self._split(self.first, self.second, count)

    def split_in_first(self, count: int) -> list[tuple[int, int]]:
        """Two documents that only the second puts together, by place, of each of its largest clusters."""
        return self._split(self.second, self.first, count)

    def _split(self, together: Labels, apart: Labels, count: int) -> list[tuple[int, int]]:
        leaders = np.full(int(together.max(initial=-1)) + 1, -1, np.int64)
        at, first = np.unique(together, return_index=True)
        leaders[at] = first
        leader = leaders[together]
        strangers = np.flatnonzero(apart != apart[leader])
        if not len(strangers):
            return []
        clusters, first = np.unique(together[strangers], return_index=True)
        order = np.lexsort((clusters, -np.bincount(together)[clusters]))[:count]
        return [(int(self.places[leader[i]]), int(self.places[i])) for i in strangers[first[order]]]


def _codes(places: Places, clustering: Clustering) -> Labels:
    """Cluster of each place, numbered from 0; a place that has none is one of its own."""
    distinct, codes = np.unique(clustering.labels, return_inverse=True)
    found = np.arange(len(distinct), len(distinct) + len(places), dtype=np.int64)
    found[np.searchsorted(places, clustering.places)] = codes
    return found


def _pairs(sizes: Labels) -> int:
    sizes = sizes.astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())
