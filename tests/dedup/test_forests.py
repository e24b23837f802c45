"""Forests over the same records merge to the components of all their joins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.dedup.forests import divide_bands, merge_forests
from gpucurate.ops.union_find import flatten, hook_pairs, new_parents

EDGE = st.tuples(st.integers(0, 19), st.integers(0, 19))


def forest_of(edges: list[tuple[int, int]]) -> np.ndarray:
    parents = new_parents(20)
    left, right = np.array(edges, np.uint32).reshape(-1, 2).T
    hook_pairs(left, right, parents)
    flatten(parents)
    return parents


@given(st.lists(st.lists(EDGE, max_size=12), min_size=1, max_size=4))
def test_any_division_of_joins_gives_the_same_components(parts):
    forests = [forest_of(edges) for edges in parts]
    before = [forest.copy() for forest in forests]
    assert np.array_equal(merge_forests(iter(forests)), forest_of([edge for part in parts for edge in part]))
    assert all(map(np.array_equal, forests, before))


def test_links_of_several_steps_and_more_records_than_a_block(monkeypatch):
    monkeypatch.setattr("gpucurate.dedup.forests._BLOCK", 7)
    chain = np.maximum(np.arange(100, dtype=np.int64) - 1, 0).astype(np.uint32)
    assert merge_forests([np.arange(100, dtype=np.uint32), chain]).tolist() == [0] * 100


def test_what_cannot_be_merged_is_refused():
    with pytest.raises(ValueError, match="no forest"):
        merge_forests([])
    with pytest.raises(ValueError, match="forests of 3 and 2 records"):
        merge_forests([np.arange(3, dtype=np.uint32), np.arange(2, dtype=np.uint32)])
    with pytest.raises(ValueError, match="document 9 has no entry among 2 parents"):
        merge_forests([np.array([0, 9], np.uint32)])


@pytest.mark.parametrize(
    ("bands", "gpus", "sizes"), [(14, 4, [4, 4, 3, 3]), (14, 1, [14]), (2, 8, [1, 1]), (1, 3, [1])]
)
def test_every_band_goes_to_one_gpu(bands, gpus, sizes):
    parts = divide_bands(bands, gpus)
    assert [len(part) for part in parts] == sizes
    assert [band for part in parts for band in part] == list(range(bands))


def test_a_key_of_two_words_is_the_work_of_one_gpu():
    assert divide_bands(2, 4, wide=True) == [[0, 1]]
