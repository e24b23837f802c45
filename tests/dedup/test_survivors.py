"""Which member survives: always one a cluster, by the policy, ties by the smallest id."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout
from gpucurate.dedup.policy import BY_LENGTH
from gpucurate.dedup.survivors import Clusters, choose
from gpucurate.spec.errors import ConfigurationError


def lengths_on_disk(folder: Path, lengths: list[int], split: int) -> KeySet:
    parts = [lengths[:split], lengths[split:]]
    for number, part in enumerate(parts):
        writer = KeyFileWriter(folder / f"{number}", Layout(1))
        none = np.zeros(0, np.uint32)
        values = np.array(part, np.uint32) + np.uint32(1)
        writer.append(len(part), none, np.zeros((0, 1), np.uint64), values)
        writer.close()
    bases = np.array([0, split, len(lengths)], np.int64)
    return KeySet([folder / "0", folder / "1"], bases)


@settings(deadline=None)
@given(
    members=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=40),
    keep=st.sampled_from(BY_LENGTH),
    data=st.data(),
)
def test_one_of_each_cluster_survives_by_the_policy(
    tmp_path_factory: pytest.TempPathFactory,
    members: list[tuple[int, int]],
    keep: str,
    data: st.DataObject,
) -> None:
    groups: dict[int, list[int]] = {}
    for i, (group, _) in enumerate(members):
        groups.setdefault(group, []).append(i)
    labels = np.array([groups[group][0] for group, _ in members], np.uint32)
    lengths = [length for _, length in members]
    keys = lengths_on_disk(tmp_path_factory.mktemp("l"), lengths, data.draw(st.integers(0, len(members))))
    clusters = choose(labels, keys, keep)
    kept = np.flatnonzero(clusters.is_kept(0, len(members))).tolist()
    value = {"first": lambda i: 0, "longest": lambda i: -lengths[i], "shortest": lambda i: lengths[i]}[keep]
    assert kept == sorted(min(group, key=lambda i: (value(i), i)) for group in groups.values())
    assert clusters.duplicates == len(members) - len(groups)
    assert clusters.count == sum(len(group) > 1 for group in groups.values())


def test_the_largest_clusters_come_first_and_ties_by_id() -> None:
    labels = np.array([0, 1, 1, 3, 3, 3, 6, 6], np.uint32)
    sizes = np.array([1, 2, 0, 3, 0, 0, 2, 0], np.uint32)
    clusters = Clusters(labels, sizes, np.arange(8, dtype=np.uint32))
    assert clusters.largest(2).tolist() == [3, 1]
    assert clusters.largest(9).tolist() == [3, 1, 6]


def test_a_policy_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'best' is not a policy: choose first, longest, shortest"):
        choose(np.zeros(1, np.uint32), lengths_on_disk(tmp_path, [1], 0), "best")


@settings(deadline=None)
@given(members=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 2**64 - 1)), min_size=1, max_size=40))
def test_the_highest_rank_survives_and_of_equals_the_first(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[int, int]]
) -> None:
    groups: dict[int, list[int]] = {}
    for i, (group, _) in enumerate(members):
        groups.setdefault(group, []).append(i)
    labels = np.array([groups[group][0] for group, _ in members], np.uint32)
    path = tmp_path_factory.mktemp("r") / "0"
    writer = KeyFileWriter(path, Layout(1, ranks=True))
    for _, rank in members:  # a block each
        nothing = np.zeros(0, np.uint32), np.zeros((0, 1), np.uint64)
        writer.append(1, *nothing, np.ones(1, np.uint32), ranks=np.array([rank], np.uint64))
    writer.close()
    keys = KeySet([path], np.array([0, len(members)], np.int64))
    kept = np.flatnonzero(choose(labels, keys, "max:score").is_kept(0, len(members))).tolist()
    assert kept == sorted(min(group, key=lambda i: (-members[i][1], i)) for group in groups.values())
