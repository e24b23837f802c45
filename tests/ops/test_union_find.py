"""Components equal those of networkx, whatever the order."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.ops.grouping import sort_hashes, sort_pairs
from gpucurate.ops.union_find import flatten, hook_pairs, hook_runs, hook_runs128, new_parents
from gpucurate.spec.errors import ConfigurationError

graphs = st.integers(1, 50).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=80)
    )
)


def smallest_of_component(count, edges):
    graph = nx.empty_graph(count)
    graph.add_edges_from(edges)
    smallest = np.empty(count, np.uint32)
    for component in nx.connected_components(graph):
        smallest[list(component)] = min(component)
    return smallest


@settings(deadline=None)
@given(graphs)
def test_any_graph(graph):
    count, edges = graph
    left, right = np.array(edges, np.uint32).reshape(-1, 2).T
    parents = new_parents(count)
    merges = hook_pairs(left, right, parents)
    flatten(parents)
    expected = smallest_of_component(count, edges)
    assert np.array_equal(parents, expected)
    assert merges == count - len(np.unique(expected))


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 6), min_size=40, max_size=40), min_size=1, max_size=4), st.randoms())
def test_runs_of_equal_keys_in_several_bands(bands, random):
    parents, edges = new_parents(40), []
    for band in bands:
        keys, ids = np.array(band, np.uint64), np.arange(40, dtype=np.uint32)
        mixed = np.array(random.sample(range(40), 40))
        hook_runs(*sort_pairs(keys[mixed], ids[mixed], np.empty_like(keys), np.empty_like(ids)), parents)
        edges += [(a, b) for a in range(40) for b in range(a) if band[a] == band[b]]
    flatten(parents)
    assert np.array_equal(parents, smallest_of_component(40, edges))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_runs_of_128_bits(values):
    parents, ids = new_parents(len(values)), np.arange(len(values), dtype=np.uint32)
    hook_runs128(*sort_hashes(np.array(values, np.uint64), ids), parents)
    flatten(parents)
    assert parents.tolist() == [values.index(value) for value in values]


def test_many_documents_in_any_order_and_in_pieces():
    rng = np.random.default_rng(0)
    count, edges = 50_000, rng.integers(0, 50_000, (40_000, 2)).astype(np.uint32)
    expected = smallest_of_component(count, edges.tolist())
    for order in (np.arange(len(edges)), rng.permutation(len(edges))):
        parents = new_parents(count)
        for piece in np.array_split(edges[order], 7):
            hook_pairs(piece[:, 0], piece[:, 1], parents)
        flatten(parents)
        assert np.array_equal(parents, expected)


@pytest.mark.parametrize("ids", [np.arange(200_000), np.arange(200_000)[::-1]])
def test_one_cluster_of_all_documents_is_quick(ids):
    parents = new_parents(200_000)
    assert hook_runs(np.zeros(200_000, np.uint64), ids.astype(np.uint32), parents) == 199_999
    flatten(parents)
    assert not parents.any()


def test_read_only_columns():
    keys, ids = np.zeros(3, np.uint64), np.arange(3, dtype=np.uint32)
    keys.flags.writeable = ids.flags.writeable = False
    assert hook_runs(keys, ids, new_parents(3)) == 2


def test_an_id_without_an_entry_is_refused():
    with pytest.raises(ValueError, match="document 5 has no entry among 3 parents"):
        hook_runs(np.zeros(1, np.uint64), np.array([5], np.uint32), new_parents(3))
    for pair in ([5], [0]), ([0], [5]):
        with pytest.raises(ValueError, match="document 5 has no entry among 3 parents"):
            hook_pairs(*np.array(pair, np.uint32), new_parents(3))


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        hook_runs(np.zeros(2, np.uint64), np.zeros(1, np.uint32), new_parents(3))


def test_too_many_documents_are_refused():
    with pytest.raises(ConfigurationError, match="ids hold fewer"):
        new_parents(2**32)
