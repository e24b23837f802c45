"""Components of accepted pairs: as a plain model of the definition has them."""

from __future__ import annotations

from itertools import pairwise

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.key_runs import KeyRuns, sorted_runs
from gpucurate.dedup.verification import ROUNDS
from gpucurate.dedup.verify import verified_components
from tests.dedup.similar import TableComparer, random_matrix, similarities


def runs_of(keys: np.ndarray, bands: list[int]) -> list[KeyRuns]:
    ids = np.arange(len(keys), dtype=np.uint32)
    return [KeyRuns(*sorted_runs(keys[:, band].copy(), ids.copy())) for band in bands]


def in_parts(runs: list[KeyRuns], length: int) -> list[KeyRuns]:
    """Longer runs of a key in parts of so many documents, the others whole."""
    parts = []
    for run in runs:
        for word in np.unique(run.words):
            ids = run.ids[run.words == word]
            for first in range(0, len(ids), length):
                some = ids[first : first + length]
                goes_on = first + length < len(ids)
                parts.append(KeyRuns(np.full(len(some), word), some, goes_on=goes_on))
    return parts


def model(
    keys: np.ndarray, matrix: np.ndarray, threshold: float
) -> tuple[set[tuple[int, int]], list[int], int]:
    """Pairs compared, labels and discarded members, by the definition."""
    graph, compared, discarded = networkx.empty_graph(len(keys)), set(), 0
    for band in range(keys.shape[1]):
        for key in np.unique(keys[:, band]):
            members = np.flatnonzero(keys[:, band] == key).tolist()
            for _ in range(ROUNDS):
                if len(members) < 2:
                    break
                leader, *others = members
                compared |= {(leader, other) for other in others}
                near = [other for other in others if matrix[leader, other] >= threshold]
                graph.add_edges_from((leader, other) for other in near)
                members = [other for other in others if other not in near]
            discarded += len(members) if len(members) > 1 else 0
    labels = [0] * len(keys)
    for component in networkx.connected_components(graph):
        for member in component:
            labels[member] = min(component)
    return compared, labels, discarded


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 60),
    keys=st.integers(1, 40),
    threshold=st.floats(0.01, 1),
    length=st.integers(1, 12),
)
def test_labels_and_comparisons_are_those_of_the_definition(
    seed: int, count: int, keys: int, threshold: float, length: int
) -> None:
    rng = np.random.default_rng(seed)
    of_bands = rng.integers(0, keys, (count, 3)).astype(np.uint64)
    comparer = TableComparer(random_matrix(count, rng))
    compared, labels, discarded = model(of_bands, comparer.matrix, threshold)
    with similarities(comparer) as of:
        found = verified_components(count, runs_of(of_bands, [0, 1, 2]), of, threshold)
    assert found.labels.tolist() == labels
    assert found.discarded == discarded
    assert sorted(comparer.asked) == sorted(compared)
    with similarities(TableComparer(comparer.matrix)) as of:
        other_order = verified_components(count, runs_of(of_bands, [2, 0, 1]), of, threshold)
    assert other_order.labels.tolist() == labels
    assert other_order.discarded == discarded
    comparer = TableComparer(comparer.matrix)
    with similarities(comparer) as of:
        parts = verified_components(count, in_parts(runs_of(of_bands, [0, 1, 2]), length), of, threshold)
    assert parts.labels.tolist() == labels
    assert parts.discarded == discarded
    assert sorted(comparer.asked) == sorted(compared)


def test_a_run_of_documents_that_are_all_different_costs_a_bounded_number_of_comparisons() -> None:
    keys = np.zeros((200, 1), np.uint64)
    comparer = TableComparer(np.eye(200))
    with similarities(comparer) as of:
        found = verified_components(200, runs_of(keys, [0]), of, 0.5)
    assert len(comparer.asked) == sum(200 - number for number in range(1, ROUNDS + 1))
    assert found.discarded == 200 - ROUNDS
    assert found.labels.tolist() == list(range(200))


def test_documents_are_joined_through_others_but_never_by_a_pair_below_the_threshold() -> None:
    chain = np.eye(4)
    for first, second in pairwise(range(4)):
        chain[first, second] = chain[second, first] = 0.9
    keys = np.zeros((4, 1), np.uint64)
    with similarities(TableComparer(chain)) as of:
        found = verified_components(4, runs_of(keys, [0]), of, 0.9)
    assert found.labels.tolist() == [0, 0, 2, 2]  # 1 left the run with 0, so 1-2 was not compared


@pytest.mark.parametrize("threshold", [0.8, 0.8000001])
def test_a_pair_at_the_threshold_is_accepted(threshold: float) -> None:
    keys, matrix = np.zeros((2, 1), np.uint64), np.full((2, 2), 4 / 5)
    with similarities(TableComparer(matrix)) as of:
        found = verified_components(2, runs_of(keys, [0]), of, threshold)
    assert found.labels.tolist() == ([0, 0] if threshold == 0.8 else [0, 1])
