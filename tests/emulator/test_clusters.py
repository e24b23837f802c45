"""Grouping, union-find and survivors: the CUDA results equal the CPU's."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.ops import grouping, survivors, union_find
from gpucurate.ops.grouping import cuda as cuda_grouping
from gpucurate.ops.mixing import fmix64
from gpucurate.ops.survivors import cuda as cuda_survivors
from gpucurate.ops.union_find import cuda as cuda_union_find
from tests.emulator.backend import to_host

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COUNT = 300


def keys_of(random, distinct):
    """Keys of which some are equal, some differ in their last bit, some in the first."""
    return random.integers(0, distinct, COUNT).astype(np.uint64) * np.uint64((1 << 63) + 1)


def on(device, *arrays):
    """Copies of arrays on the device."""
    return tuple(device.xp.array(array) for array in arrays)


@pytest.mark.parametrize("distinct", [1, 2, 40])
def test_pairs_are_sorted_stably(device, distinct):
    keys, ids = keys_of(np.random.default_rng(1), distinct), np.arange(COUNT, dtype=np.uint32)[::-1].copy()
    arrays = on(device, keys, ids, np.empty_like(keys), np.empty_like(ids))
    found = [to_host(column) for column in cuda_grouping.sort_pairs(*arrays, device)]
    expected = grouping.sort_pairs(keys, ids, np.empty_like(keys), np.empty_like(ids))
    assert all(map(np.array_equal, found, expected))


@pytest.mark.parametrize("distinct", [1, 3, 40])
def test_hashes_are_sorted_by_both_words_stably(device, distinct):
    random, ids = np.random.default_rng(2), np.arange(COUNT, dtype=np.uint32)[::-1].copy()
    hashes = np.stack([keys_of(random, distinct), keys_of(random, 3)], axis=1)
    found = [to_host(column) for column in cuda_grouping.sort_hashes(*on(device, hashes, ids), device)]
    assert all(map(np.array_equal, found, grouping.sort_hashes(hashes, ids)))


def joined(device, hook, columns, count):
    """Parents and number of merges, twice: by the CPU and by the device."""
    expected = union_find.new_parents(count)
    merges = getattr(union_find, hook)(*columns, expected)
    union_find.flatten(expected)
    (parents,) = on(device, union_find.new_parents(count))
    found = getattr(cuda_union_find, hook)(*on(device, *columns), parents, device)
    cuda_union_find.flatten(parents, device)
    return (found, to_host(parents).tolist()), (merges, expected.tolist())


@few
@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=80))
def test_any_pairs(device, edges):
    left, right = np.array(edges, np.uint32).reshape(-1, 2).T
    found, expected = joined(device, "hook_pairs", (left, right), 40)
    assert found == expected


@pytest.mark.parametrize("distinct", [1, 7, 200])
@pytest.mark.parametrize("multiprocessors", [1, 132])
def test_runs_of_equal_keys(device, distinct, multiprocessors):
    device.multiprocessors = multiprocessors
    random, ids = np.random.default_rng(3), np.arange(COUNT, dtype=np.uint32)
    high, low, ids = grouping.sort_hashes(
        np.stack([keys_of(random, distinct), keys_of(random, 2)], axis=1), random.permutation(ids)
    )
    for hook, columns in (("hook_runs", (high, ids)), ("hook_runs128", (high, low, ids))):
        found, expected = joined(device, hook, columns, COUNT)
        assert found == expected


@pytest.mark.parametrize("step", [1, -1])
def test_a_chain_of_all_documents(device, step):
    ids = np.arange(5000, dtype=np.uint32)[::step].copy()
    found, expected = joined(device, "hook_runs", (np.zeros(5000, np.uint64), ids), 5000)
    assert found == expected == (4999, [0] * 5000)


def test_joining_goes_on_from_what_was_joined_before(device):
    random = np.random.default_rng(4)
    pieces = random.integers(0, COUNT, (3, 2, 60)).astype(np.uint32)
    expected = union_find.new_parents(COUNT)
    (parents,) = on(device, union_find.new_parents(COUNT))
    for left, right in pieces:
        merges = union_find.hook_pairs(left, right, expected)
        assert cuda_union_find.hook_pairs(*on(device, left, right), parents, device) == merges
    union_find.flatten(expected)
    cuda_union_find.flatten(parents, device)
    assert np.array_equal(to_host(parents), expected)


def equal_keys_agree(device, words, count):
    """Equal keys in any order are joined as sorted ones are, and nothing else changes."""
    ids = np.random.default_rng(6).permutation(count)[: len(words[0])].astype(np.uint32)
    hashes = np.stack([words[0], words[-1]], axis=1)
    expected = union_find.new_parents(count)
    union_find.hook_runs128(*grouping.sort_hashes(hashes, ids), expected)
    union_find.flatten(expected)
    *columns, on_ids, parents = on(device, *words, ids, union_find.new_parents(count))
    cuda_union_find.hook_equal(columns, on_ids, parents, device)
    cuda_union_find.flatten(parents, device)
    assert np.array_equal(to_host(parents), expected)
    assert all(map(np.array_equal, map(to_host, columns), words))


@few
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), min_size=1, max_size=90),
    st.sampled_from([(1, 1), (1, 64), (2, 3), (32, 1), (32, 64)]),  # each is compiled
)
def test_equal_keys_in_any_order_however_many_different_ones_share_a_prefix(device, keys, sizes):
    words = tuple(np.array(keys, np.uint64).T.copy() << np.uint64(31))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_union_find, "PREFIX_BITS", sizes[0])
        patch.setattr(cuda_union_find, "SCAN_LIMIT", sizes[1])
        equal_keys_agree(device, words, 90)
        equal_keys_agree(device, words[1:], 90)


@pytest.mark.parametrize("words", [1, 2])
def test_keys_are_mixed_anew_where_too_many_share_their_prefix(device, monkeypatch, words):
    keys = np.random.default_rng(8).integers(0, 2**64, 1 << 16, dtype=np.uint64)
    keys = keys[fmix64(keys) >> np.uint64(56) == 7][:200]  # no other prefix of 8 bits, without a salt
    monkeypatch.setattr(cuda_union_find, "PREFIX_BITS", 8)
    monkeypatch.setattr(cuda_union_find, "SCAN_LIMIT", 64)
    monkeypatch.setattr(cuda_union_find, "LEAST_LISTED", 10)
    tried = []
    close = cuda_union_find._hook_close
    monkeypatch.setattr(
        cuda_union_find, "_hook_close", lambda *given: tried.append(given[-1]) or close(*given)
    )
    both = np.concatenate([keys, keys])
    equal_keys_agree(device, (both, np.zeros_like(both))[:words], 400)
    assert tried == ([0, 1] if words == 1 else [0])


def test_very_many_copies_that_hide_another_key(device):
    keys = np.full(1000, 5, np.uint64)
    keys[[400, 900]] = 6
    equal_keys_agree(device, (keys,), 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_union_find, "PREFIX_BITS", 1)
        equal_keys_agree(device, (keys,), 1000)


def test_copies_of_one_key_do_not_make_a_path_of_that_length(device):
    count = 4096
    words, ids, parents = on(
        device, np.full(count, 5, np.uint64), np.arange(count, dtype=np.uint32), union_find.new_parents(count)
    )
    cuda_union_find.hook_equal([words], ids, parents, device)
    up, steps = to_host(parents).copy(), 0
    while (up != up[up]).any():
        up, steps = to_host(parents)[up], steps + 1
    assert steps <= count // 32


def test_nothing_to_join(device):
    equal_keys_agree(device, (np.zeros(0, np.uint64),), 3)
    nothing = np.zeros(0, np.uint64), np.zeros(0, np.uint32)
    found, expected = joined(device, "hook_runs", nothing, 0)
    assert found == expected == (0, [])


def survivors_agree(device, labels, ranks, piece):
    """Sizes and survivors of documents that come in pieces."""
    counts = to_host(cuda_survivors.count_members(*on(device, labels), device))
    assert np.array_equal(counts, survivors.count_members(labels))
    ids = np.arange(len(labels), dtype=np.uint32)
    expected, best = ids.copy(), np.zeros_like(ranks)
    on_device = on(device, expected, best)
    for first in range(0, len(labels), piece):
        some = ranks[first : first + piece]
        survivors.choose_survivors(labels, first, some, expected, best)
        cuda_survivors.choose_survivors(*on(device, labels), first, *on(device, some), *on_device, device)
    assert np.array_equal(to_host(on_device[0]), expected)
    assert np.array_equal(to_host(on_device[1]), best)


@few
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=6, max_size=90), st.integers(1, 90))
def test_sizes_and_survivors(device, documents, piece):
    labels, ranks = np.array(documents, np.uint32).T.copy()
    survivors_agree(device, labels, ranks, piece)
    survivors_agree(device, labels, ranks.astype(np.uint64) << np.uint64(40), piece)


def test_no_clusters(device):
    survivors_agree(device, np.zeros(0, np.uint32), np.zeros(0, np.uint32), 1)
