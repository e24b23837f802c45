"""Similarities: each pair is compared once, in batches of bounded size."""

from __future__ import annotations

import numpy as np
import pytest

from gpucurate.dedup.pair_table import pack
from tests.dedup.similar import TableComparer, random_matrix, similarities


@pytest.mark.parametrize("threads", [1, 3])
def test_pairs_in_any_order_and_repeated_are_compared_once(threads: int) -> None:
    rng = np.random.default_rng(1)
    comparer = TableComparer(random_matrix(30, rng))
    with similarities(comparer, threads) as of:
        for _ in range(5):
            left, right = (
                rng.integers(0, 15, 200).astype(np.uint32),
                rng.integers(15, 30, 200).astype(np.uint32),
            )
            assert (of(pack(left, right)) == comparer.matrix[left, right]).all()
        assert len(of.table) == len(comparer.asked) == len(set(comparer.asked))
        assert of(np.zeros(0, np.uint64)).tolist() == []


def test_a_batch_holds_so_many_bytes_or_one_pair() -> None:
    comparer = TableComparer(random_matrix(40, np.random.default_rng(2)))
    left, right = np.zeros(39, np.uint32), np.arange(1, 40, dtype=np.uint32)
    with similarities(comparer, 1, batch_bytes=10) as of:
        of(pack(left, right))
    assert max(comparer.batches) <= 10
    assert sum(comparer.batches) == 39
    comparer.batches.clear()
    with similarities(comparer, 1, batch_bytes=1) as of:
        of(pack(left, right))
    assert comparer.batches == [1] * 39


def test_what_a_comparison_raises_is_raised() -> None:
    class Fails(TableComparer):
        def compare(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
            raise OSError("no such text")

    with similarities(Fails(np.eye(3))) as of, pytest.raises(OSError, match="no such text"):
        of(pack(np.array([0], np.uint32), np.array([1], np.uint32)))
