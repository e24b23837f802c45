"""New documents grouped with old ones: what is theirs, what is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.cluster_file import FileSpan
from gpucurate.dedup.components import find_components
from gpucurate.dedup.index_against import OldMembers, leave_out_old, let_old_survive
from gpucurate.dedup.index_hits import OldFile, write_hits
from gpucurate.dedup.index_origins import Origins, OriginsWriter
from gpucurate.dedup.survivors import Clusters
from gpucurate.ops.survivors import count_members
from tests.dedup.test_components import by_networkx, key_set


def clusters_of(labels: np.ndarray, old: int) -> tuple[Clusters, OldMembers]:
    together = Clusters(labels, count_members(labels), np.arange(len(labels), dtype=np.uint32))
    let_old_survive(together, old)
    return leave_out_old(together, old)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), old=st.integers(0, 30), new=st.integers(0, 60), keys=st.integers(1, 80)
)
def test_a_cluster_with_an_old_member_keeps_no_new_one_and_all_others_are_as_without_it(
    seed: int, old: int, new: int, keys: int
) -> None:
    given_keys = np.random.default_rng(seed).integers(0, keys, (old + new, 2)).astype(np.uint64)
    together = by_networkx(given_keys, wide=False)
    clusters, members_of = clusters_of(np.array(together, np.uint32), old)
    first_old = dict(zip(members_of.clusters.tolist(), members_of.first.tolist(), strict=True))
    counts = dict(zip(members_of.clusters.tolist(), members_of.counts.tolist(), strict=True))
    kept = clusters.is_kept(0, new)
    in_index = duplicates = 0
    for document in range(new):
        members = [m for m in range(old + new) if together[m] == together[old + document]]
        news = [m - old for m in members if m >= old]
        assert clusters.labels[document] == news[0]
        assert clusters.sizes[news[0]] == len(members)
        has_old = len(news) < len(members)
        assert first_old.get(news[0]) == (members[0] if has_old else None)
        assert counts.get(news[0], 0) == len(members) - len(news)
        assert kept[document] == (not has_old and document == news[0])
        in_index += has_old
        duplicates += not has_old and document != news[0]
    assert (clusters.in_index, clusters.duplicates) == (in_index, duplicates)


def test_a_new_document_that_only_another_new_one_ties_to_an_old_one_goes_too(tmp_path: Path) -> None:
    old, near, far = [1, 2], [1, 3], [4, 3]
    keys = key_set(tmp_path, [np.array([old], np.uint64), np.array([far, near, [8, 9]], np.uint64)])
    labels = find_components(keys, 2, wide=False, memory=1 << 20, threads=1, scratch=tmp_path / "s")
    clusters, _ = clusters_of(labels, 1)
    assert clusters.is_kept(0, 3).tolist() == [False, False, True]
    assert clusters.shown(0) == 0


def test_the_first_old_document_of_each_cluster_can_be_traced(tmp_path: Path) -> None:
    files = []
    for number, spans in enumerate(
        [[FileSpan("a", 5, 0, 3)], [FileSpan("b", None, 0, 1), FileSpan("c", 0, 1, 2)]]
    ):
        writer = OriginsWriter(tmp_path / f"{number}.parquet")
        writer.append(Origins(spans).of(np.arange(3)))
        writer.close()
        files.append(OldFile(Path(f"i{number}"), Path(), tmp_path / f"{number}.parquet", 3 * number, 3))
    #                  old: 0  1  2  3  4  5    new: 6  7  8  9
    labels = np.array([0, 1, 1, 3, 4, 5, 5, 1, 8, 3], np.uint32)
    write_hits(tmp_path / "hits.parquet", files, clusters_of(labels, 6)[1])
    assert pq.read_table(tmp_path / "hits.parquet").to_pylist() == [
        {"cluster": 1, "index": "i0", "path": "a", "row": 6, "old_documents": 2},
        {"cluster": 3, "index": "i1", "path": "b", "row": None, "old_documents": 1},
        {"cluster": 0, "index": "i1", "path": "c", "row": 1, "old_documents": 1},
    ]
