"""Documents whose similarity is a table."""

from __future__ import annotations

import numpy as np

from gpucurate.dedup.pair_table import PairTable
from gpucurate.dedup.similarity import Similarities


class TableComparer:
    """Similarities from a symmetric matrix; counts how often each pair was asked for."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = matrix
        self.asked: list[tuple[int, int]] = []
        self.batches: list[int] = []

    def sizes(self, ids: np.ndarray) -> np.ndarray:
        return np.ones(len(ids), np.int64)

    def compare(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        assert (left < right).all()
        self.batches.append(len(left))
        self.asked += list(zip(left.tolist(), right.tolist(), strict=True))
        return self.matrix[left, right]


def random_matrix(count: int, rng: np.random.Generator) -> np.ndarray:
    half = np.triu(rng.random((count, count)), 1)
    return half + half.T + np.eye(count)


def similarities(comparer: TableComparer, threads: int = 2, batch_bytes: int = 1 << 20) -> Similarities:
    return Similarities(comparer, PairTable(), threads=threads, batch_bytes=batch_bytes)
