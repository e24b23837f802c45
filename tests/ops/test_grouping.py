"""Sorting of keys with ids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.ops.grouping import check_document_count, sort_hashes, sort_pairs
from gpucurate.spec.errors import ConfigurationError

key_lists = st.one_of(
    st.lists(st.integers(0, 2**64 - 1), max_size=60),
    st.lists(st.sampled_from([0, 1, 255, 256, 2**32, 2**63, 2**64 - 1]), max_size=60),
)


def sorted_pairs(keys):
    ids = np.arange(len(keys), dtype=np.uint32)
    return sort_pairs(keys.copy(), ids, np.empty_like(keys), np.empty_like(ids))


@settings(deadline=None)
@given(key_lists)
def test_pairs_are_sorted_and_equal_keys_keep_their_order(values):
    keys = np.array(values, np.uint64)
    found_keys, found_ids = sorted_pairs(keys)
    order = np.argsort(keys, kind="stable")
    assert np.array_equal(found_keys, keys[order])
    assert np.array_equal(found_ids, order)


def test_many_pairs():
    keys = np.random.default_rng(0).integers(0, 2**64, 300_000, dtype=np.uint64)
    found_keys, found_ids = sorted_pairs(keys)
    assert np.array_equal(found_keys, np.sort(keys))
    assert np.array_equal(keys[found_ids], found_keys)


def test_keys_that_agree_everywhere_are_not_moved():
    keys, ids = np.full(10, 7, np.uint64), np.arange(10, dtype=np.uint32)
    found_keys, found_ids = sort_pairs(keys, ids, np.empty_like(keys), np.empty_like(ids))
    assert found_keys is keys
    assert found_ids is ids


def test_scratch_may_be_larger():
    keys, ids = np.array([3, 1, 2], np.uint64), np.array([7, 8, 9], np.uint32)
    found_keys, found_ids = sort_pairs(keys, ids, np.empty(9, np.uint64), np.empty(5, np.uint32))
    assert found_keys.tolist() == [1, 2, 3]
    assert found_ids.tolist() == [8, 9, 7]


def test_scratch_that_is_too_small_is_refused():
    keys, ids = np.zeros(3, np.uint64), np.zeros(3, np.uint32)
    with pytest.raises(ValueError, match="scratch of 2 and 3"):
        sort_pairs(keys, ids, np.zeros(2, np.uint64), np.zeros(3, np.uint32))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 5, 2**64 - 1]), st.integers(0, 3)), max_size=60))
def test_hashes_are_sorted_by_both_words(values):
    hashes = np.array(values, np.uint64).reshape(-1, 2)
    ids = np.arange(len(values), dtype=np.uint32)[::-1].copy()
    high, low, found = sort_hashes(hashes, ids)
    order = sorted(range(len(values)), key=values.__getitem__)
    assert list(zip(high.tolist(), low.tolist(), strict=True)) == [values[i] for i in order]
    assert np.array_equal(found, ids[order])


def test_more_documents_than_ids_are_refused():
    check_document_count(2**32 - 1)
    with pytest.raises(ConfigurationError, match="4,294,967,296 documents"):
        check_document_count(2**32)
