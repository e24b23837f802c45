"""What stays together: components, or only what is like the survivor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup import linkage
from gpucurate.dedup.index_against import let_old_survive
from gpucurate.dedup.linkage import by_component, by_survivor
from gpucurate.dedup.memory_clusters import choose_in_memory
from gpucurate.dedup.survivors import Clusters
from tests.dedup.similar import TableComparer, random_matrix, similarities


def choose_by(ranks: np.ndarray) -> Callable[[np.ndarray], Clusters]:
    return partial(choose_in_memory, ranks=ranks)


def model(
    labels: list[int], ranks: np.ndarray, matrix: np.ndarray, threshold: float
) -> tuple[dict[int, list[int]], set[tuple[int, int]]]:
    """Members by survivor, and the pairs that are compared, by the definition."""
    found, compared = {}, set()
    for label in set(labels):
        rest = [i for i, one in enumerate(labels) if one == label]
        while rest:
            survivor = max(rest, key=lambda i: (ranks[i], -i))
            compared |= {tuple(sorted((survivor, other))) for other in rest if other != survivor}
            near = [i for i in rest if i == survivor or matrix[survivor, i] >= threshold]
            found[survivor] = near
            rest = [i for i in rest if i not in near]
    return found, compared


def random_labels(rng: np.random.Generator, count: int, clusters: int) -> np.ndarray:
    groups = rng.integers(0, clusters, count)
    return np.array([np.flatnonzero(groups == group)[0] for group in groups], np.uint32)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 50),
    clusters=st.integers(1, 12),
    threshold=st.floats(0.05, 1),
    step=st.sampled_from([4, 1 << 18]),
)
def test_members_reach_the_threshold_with_their_survivor_and_the_others_cluster_again(
    seed: int, count: int, clusters: int, threshold: float, step: int
) -> None:
    rng = np.random.default_rng(seed)
    labels, ranks = random_labels(rng, count, clusters), rng.integers(1, 6, count).astype(np.uint32)
    comparer = TableComparer(random_matrix(count, rng))
    expected, compared = model(labels.tolist(), ranks, comparer.matrix, threshold)
    with pytest.MonkeyPatch.context() as patched, similarities(comparer) as of:
        patched.setattr(linkage, "_STEP", step)
        found = by_survivor(labels.copy(), choose_by(ranks), of, threshold)
    assert set(comparer.asked) == compared
    assert found.similarity is not None
    for survivor, members in expected.items():
        label = min(members)
        assert found.labels[members].tolist() == [label] * len(members)
        assert (found.survivors[label], found.sizes[label]) == (survivor, len(members))
        if len(members) > 1:
            wanted = comparer.matrix[survivor, members].astype(np.float32)
            assert (found.similarity[members] == wanted).all()
    assert found.duplicates == count - len(expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 50), clusters=st.integers(1, 12))
def test_components_keep_all_members_and_tell_how_similar_each_is(
    seed: int, count: int, clusters: int
) -> None:
    rng = np.random.default_rng(seed)
    labels, ranks = random_labels(rng, count, clusters), rng.integers(1, 6, count).astype(np.uint32)
    comparer = TableComparer(random_matrix(count, rng))
    with similarities(comparer) as of:
        found = by_component(labels, choose_by(ranks), of)
    assert found.labels.tolist() == labels.tolist()
    assert found.similarity is not None
    for member in np.flatnonzero(found.sizes[labels] > 1):
        wanted = np.float32(comparer.matrix[found.survivors[labels[member]], member])
        assert found.similarity[member] == wanted
    assert np.isnan(found.similarity[found.sizes[labels] == 1]).all()


def test_what_is_left_after_the_bound_stays_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkage, "LINKAGE_ROUNDS", 2)
    matrix = np.eye(7)
    matrix[5, 6] = matrix[6, 5] = matrix[0, 4] = matrix[4, 0] = 1.0
    comparer = TableComparer(matrix)
    with similarities(comparer) as of:
        found = by_survivor(np.zeros(7, np.uint32), choose_by(np.ones(7, np.uint32)), of, 0.5)
    assert found.labels.tolist() == [0, 1, 2, 3, 0, 5, 6]  # 5 and 6 would have met in the fourth round
    assert found.duplicates == 1


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    old=st.integers(0, 20),
    new=st.integers(1, 30),
    threshold=st.floats(0.3, 1),
)
def test_what_is_similar_to_any_document_of_an_index_joins_one(
    seed: int, old: int, new: int, threshold: float
) -> None:
    rng = np.random.default_rng(seed)
    labels, ranks = random_labels(rng, old + new, 4), rng.integers(1, 6, old + new).astype(np.uint32)
    comparer = TableComparer(random_matrix(old + new, rng))

    def choose(labels: np.ndarray) -> Clusters:
        clusters = choose_in_memory(labels, ranks)
        let_old_survive(clusters, old)
        return clusters

    with similarities(comparer) as of:
        found = by_survivor(labels.copy(), choose, of, threshold, old)
    assert not any(high < old for _, high in comparer.asked)
    assert found.labels[:old].tolist() == list(range(old))
    for document in range(old, old + new):
        like = [o for o in range(old) if labels[o] == labels[document]]
        first = next((o for o in like if comparer.matrix[o, document] >= threshold), None)
        if first is None:
            assert found.labels[document] >= old
        else:
            assert found.labels[document] == first
            assert found.similarity is not None
            assert found.similarity[document] == np.float32(comparer.matrix[first, document])
