"""Agreement of clusterings, held against counting pair by pair."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.agreement import Agreement, Clustering, Table


def clustering(labels: dict[int, int]) -> Clustering:
    """Of documents by their cluster; those that are alone are left out, as in the artefact."""
    values = list(labels.values())
    many = {place: label for place, label in labels.items() if values.count(label) > 1}
    return Clustering(np.array([*many], np.int64), np.array([*many.values()], np.int64))


def agree(first: list[int], second: list[int]) -> Agreement:
    tables = [clustering({10 * i: label for i, label in enumerate(labels)}) for labels in (first, second)]
    return Table(*tables).agreement(len(first))


def together(labels: list[int]) -> set[tuple[int, int]]:
    return {(i, j) for i, j in combinations(range(len(labels)), 2) if labels[i] == labels[j]}


def groups(labels: list[int]) -> set[frozenset[int]]:
    by_label: dict[int, set[int]] = {}
    for i, label in enumerate(labels):
        by_label.setdefault(label, set()).add(i)
    return {frozenset(group) for group in by_label.values()}


LABELS = st.integers(1, 14).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 5), min_size=n, max_size=n)] * 2)
)


@settings(max_examples=300, deadline=None)
@given(both=LABELS)
def test_pairs_and_clusters_are_those_that_counting_finds(both: tuple[list[int], list[int]]) -> None:
    first, second = both
    found = agree(first, second)
    a, b = together(first), together(second)
    assert (found.pairs, found.first.pairs, found.second.pairs) == (len(a & b), len(a), len(b))
    assert found.precision == (len(a & b) / len(b) if b else 1)
    assert found.recall == (len(a & b) / len(a) if a else 1)
    assert found.f1 == pytest.approx(
        2 * found.precision * found.recall / (found.precision + found.recall) if a & b else float(not (a | b))
    )
    for side, mine, other in ((found.first, first, second), (found.second, second, first)):
        many = [group for group in groups(mine) if len(group) > 1]
        spread = [{other[i] for i in group} for group in many]
        assert side.clusters == len(many)
        assert side.documents == sum(map(len, many))
        assert side.equal == len(set(many) & groups(other))
        assert side.split == sum(len(parts) > 1 for parts in spread)
        assert side.equal + side.split + side.merged == side.clusters


@settings(deadline=None)
@given(both=LABELS)
def test_the_adjusted_rand_index_is_that_of_its_definition(both: tuple[list[int], list[int]]) -> None:
    first, second = both
    a, b, n = together(first), together(second), len(first)
    all_pairs = n * (n - 1) / 2
    expected = len(a) * len(b) / all_pairs if all_pairs else 0
    mean = (len(a) + len(b)) / 2
    ari = (len(a & b) - expected) / (mean - expected) if mean != expected else 1
    assert agree(first, second).adjusted_rand_index == pytest.approx(ari)


def test_known_values() -> None:
    # The example of scikit-learn's documentation of adjusted_rand_score.
    assert agree([0, 0, 1, 2], [0, 0, 1, 1]).adjusted_rand_index == pytest.approx(0.571, abs=1e-3)
    assert agree([0, 0, 1, 1], [1, 1, 0, 0]).adjusted_rand_index == 1
    assert agree([0, 0, 0, 0], [0, 1, 2, 3]).adjusted_rand_index == 0


def test_nothing_agrees_with_nothing() -> None:
    found = agree([0, 1], [0, 1])
    assert (found.precision, found.recall, found.f1, found.adjusted_rand_index) == (1, 1, 1, 1)
    assert found.documents == 2


@settings(deadline=None)
@given(both=LABELS)
def test_disagreements_are_pairs_that_one_puts_together(both: tuple[list[int], list[int]]) -> None:
    first, second = both
    table = Table(*(clustering(dict(enumerate(labels))) for labels in both))
    a, b = together(first), together(second)
    for pairs, here, there in ((table.split_in_second(2), a, b), (table.split_in_first(2), b, a)):
        assert len(pairs) <= 2
        assert bool(pairs) == bool(here - there)
        assert {tuple(sorted(pair)) for pair in pairs} <= here - there


def test_disagreements_of_the_largest_clusters_come_first() -> None:
    first, second = [0, 0, 1, 1, 1, 2, 2], [0, 9, 1, 1, 8, 2, 2]
    table = Table(*(clustering(dict(enumerate(labels))) for labels in (first, second)))
    assert table.split_in_second(9) == [(2, 4), (0, 1)]
    assert table.split_in_second(0) == []


def test_plain_values_hold_everything() -> None:
    values = agree([0, 0, 1, 1], [0, 0, 1, 2]).to_dict()
    assert values["recall"] == 0.5
    assert values["first"] == {
        "clusters": 2, "documents": 4, "equal": 1, "split": 1, "merged": 0, "pairs": 2,
    }  # fmt: skip
