"""Pairs are sorted as numpy sorts them, in memory that was counted."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.pair_sort import PAIR_BYTES, pair_sort


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 300),
    highs=st.sampled_from([1, 3, 2**40]),  # of few first words the second ones decide
    lows=st.sampled_from([1, 3, 2**40]),
    words=st.sampled_from([1, 2]),
)
def test_pairs_are_sorted_by_all_words_and_equals_keep_their_order(
    seed: int, count: int, highs: int, lows: int, words: int
) -> None:
    rng = np.random.default_rng(seed)
    keys = np.stack([rng.integers(0, n, count).astype(np.uint64) for n in (highs, lows)])[:words]
    ids = rng.integers(0, 2**32, count, dtype=np.uint32)
    order = np.lexsort(keys[::-1])
    sort = pair_sort(300, words)
    for _ in range(2):  # the scratch serves again
        columns, sorted_ids = sort(keys.copy(), ids.copy())
        assert [column.tolist() for column in columns] == keys[:, order].tolist()
        assert sorted_ids.tolist() == ids[order].tolist()


def test_words_are_compared_over_many_blocks() -> None:
    keys = np.random.default_rng(3).integers(0, 2**64, (2, 200_000), dtype=np.uint64)
    keys[0, 65_535:65_537] = keys[0, -1]  # of which the second words decide
    columns, ids = pair_sort(200_000, 2)(keys.copy(), np.arange(200_000, dtype=np.uint32))
    order = np.lexsort(keys[::-1])
    assert (ids == order).all()
    assert (np.stack(columns) == keys[:, order]).all()


@pytest.mark.parametrize("words", [1, 2])
@pytest.mark.parametrize("ambiguous", [False, True])
def test_a_pair_takes_the_bytes_that_are_counted(words: int, ambiguous: bool) -> None:
    count = 400_000
    tracemalloc.start()
    try:
        keys, ids = np.empty((words, count), np.uint64), np.arange(count, dtype=np.uint32)
        for column in keys:
            column[:] = np.arange(count)
            np.random.default_rng(5).shuffle(column)
        if ambiguous:
            keys[0] >>= np.uint64(1)
        pair_sort(count, words)(keys, ids)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= PAIR_BYTES[words] * count + (2 << 20)
