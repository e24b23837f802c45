"""The cluster artefact: rows in order of ids, singletons left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gpucurate.dedup import cluster_file
from gpucurate.dedup.cluster_file import SCHEMA, FileSpan, write_clusters
from gpucurate.dedup.survivors import Clusters

SPANS = [FileSpan("a.jsonl", 0, 0, 3), FileSpan("b.jsonl", 0, 3, 2), FileSpan("b.jsonl", 2, 5, 3)]


def clusters() -> Clusters:
    labels = np.array([0, 1, 0, 3, 3, 5, 0, 7], np.uint32)
    sizes = np.array([3, 1, 0, 2, 0, 1, 0, 1], np.uint32)
    survivors = np.array([6, 1, 2, 3, 4, 5, 6, 7], np.uint32)
    return Clusters(labels, sizes, survivors)


def test_each_member_is_found_by_file_and_row(tmp_path: Path) -> None:
    assert write_clusters(tmp_path, SPANS, clusters()) == 5
    table = pq.read_table(tmp_path / "part-00000.parquet")
    assert table.schema.equals(SCHEMA)
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert rows == [
        ("a.jsonl", 0, 0, 0, 3, False, None),
        ("a.jsonl", 2, 2, 0, 3, False, None),
        ("b.jsonl", 0, 3, 3, 2, True, None),
        ("b.jsonl", 1, 4, 3, 2, False, None),
        ("b.jsonl", 3, 6, 0, 3, True, None),
    ]


def test_small_row_groups_and_files_hold_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clusters(tmp_path / "one", SPANS, clusters())
    monkeypatch.setattr(cluster_file, "ROWS_A_GROUP", 2)
    monkeypatch.setattr(cluster_file, "ROWS_A_FILE", 2)
    write_clusters(tmp_path / "many", SPANS, clusters())
    assert len(list((tmp_path / "many").iterdir())) > 1
    parts = [pq.read_table(part) for part in sorted((tmp_path / "many").iterdir())]
    assert [row for part in parts for row in part.to_pylist()] == pq.read_table(tmp_path / "one").to_pylist()


def test_without_duplicates_there_is_an_empty_table(tmp_path: Path) -> None:
    alone = Clusters(np.arange(8, dtype=np.uint32), np.ones(8, np.uint32), np.arange(8, dtype=np.uint32))
    assert write_clusters(tmp_path, SPANS, alone) == 0
    assert pq.read_table(tmp_path / "part-00000.parquet").schema.equals(SCHEMA)


def test_parts_of_an_earlier_time_do_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_file, "ROWS_A_GROUP", 2)
    monkeypatch.setattr(cluster_file, "ROWS_A_FILE", 2)
    write_clusters(tmp_path / "c", SPANS, clusters())
    alone = Clusters(np.arange(8, dtype=np.uint32), np.ones(8, np.uint32), np.arange(8, dtype=np.uint32))
    write_clusters(tmp_path / "c", SPANS, alone)
    assert [path.name for path in tmp_path.rglob("*.parquet")] == ["part-00000.parquet"]
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
