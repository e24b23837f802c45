"""Clusters take no more memory a record than what is refused by says."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gpucurate.dedup.index_against import leave_out_old, let_old_survive
from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout
from gpucurate.dedup.linkage import link
from gpucurate.dedup.pair_table import PairTable
from gpucurate.dedup.record_memory import record_bytes, refuse_more_records
from gpucurate.dedup.similarity import Similarities
from gpucurate.dedup.survivors import Clusters, choose
from gpucurate.dedup.verification import NOT_VERIFIED, Linkage, Verification
from gpucurate.spec.errors import ConfigurationError

RECORDS = 400_000
SLACK = 4 << 20  # slices, blocks of files, batches

CORPORA: dict[str, Callable[[], np.ndarray]] = {
    "one cluster": lambda: np.zeros(RECORDS, np.uint32),
    "clusters of two": lambda: (np.arange(RECORDS) // 2 * 2).astype(np.uint32),
    "each new one with an old one": lambda: (np.arange(RECORDS) % (RECORDS // 2)).astype(np.uint32),
}


class Similar:
    """Documents are alike if they agree in the last three bits."""

    def sizes(self, ids: np.ndarray) -> np.ndarray:
        return np.full(len(ids), 100, np.int64)

    def compare(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return (left % 8 == right % 8).astype(float)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("survivors", "index_against", "linkage"):
        monkeypatch.setattr(f"gpucurate.dedup.{module}._STEP", 1 << 13)
    monkeypatch.setattr("gpucurate.dedup.pair_table._BLOCK", 1 << 13)


def key_set(path: Path, ranks: bool) -> KeySet:
    block = 10_000
    writer = KeyFileWriter(path, Layout(1, ranks=ranks))
    for _ in range(RECORDS // block):
        ids, keys = np.zeros(0, np.uint32), np.zeros((0, 1), np.uint64)
        values = np.full(block, 7, np.uint64) if ranks else None
        writer.append(block, ids, keys, np.full(block, 5, np.uint32), ranks=values)
    writer.close()
    return KeySet([path], np.array([0, RECORDS], np.int64))


def peak_of(call: Callable[[np.ndarray], object], corpus: str) -> int:
    call(CORPORA[corpus]())  # kernels are loaded
    labels = CORPORA[corpus]()
    tracemalloc.start()
    try:
        call(labels)
        return tracemalloc.get_traced_memory()[1] + labels.nbytes
    finally:
        tracemalloc.stop()


def figures(clusters: Clusters) -> tuple[int, int, int, list[int]]:
    return clusters.count, clusters.duplicates, clusters.in_index, clusters.largest(5).tolist()


@pytest.mark.parametrize("keep", ["first", "longest", "max:score"])
@pytest.mark.parametrize("corpus", CORPORA)
def test_choosing_survivors(keep: str, corpus: str, tmp_path: Path) -> None:
    keys = key_set(tmp_path / "keys", keep == "max:score")
    peak = peak_of(lambda labels: figures(choose(labels, keys, keep)), corpus)
    assert peak <= record_bytes(keep, NOT_VERIFIED, has_index=False) * RECORDS + SLACK


@pytest.mark.parametrize("corpus", CORPORA)
def test_leaving_out_what_indexes_have(corpus: str, tmp_path: Path) -> None:
    keys, old = key_set(tmp_path / "keys", True), RECORDS // 2

    def against(labels: np.ndarray) -> None:
        clusters = choose(labels, keys, "max:score")
        let_old_survive(clusters, old)
        figures(leave_out_old(clusters, old)[0])

    peak = peak_of(against, corpus)
    assert peak <= record_bytes("max:score", NOT_VERIFIED, has_index=True) * RECORDS + SLACK


@pytest.mark.parametrize("linkage", ["component", "survivor"])
@pytest.mark.parametrize("corpus", CORPORA)
def test_linking_verified_pairs(linkage: Linkage, corpus: str, tmp_path: Path) -> None:
    keys, verification = key_set(tmp_path / "keys", True), Verification("exact", 0.5, linkage)

    def linked(labels: np.ndarray) -> None:
        with Similarities(
            Similar(), PairTable(tmp_path / "pairs"), threads=1, batch_bytes=1 << 18
        ) as similarities:
            figures(link(labels, lambda of: choose(of, keys, "max:score"), similarities, verification))

    peak = peak_of(linked, corpus)
    assert peak <= record_bytes("max:score", verification, has_index=False) * RECORDS + SLACK


def test_what_does_not_fit_is_refused_with_what_was_given_and_what_is_needed() -> None:
    refuse_more_records(1_000_000, 20, 40_000_000)
    with pytest.raises(
        ConfigurationError,
        match=r"1,000,000 records takes 20 bytes each, 20\.0 MB in all: that takes memory=40000kB "
        r"\(--memory\), 2 times as much .* but the run may use 40\.0 MB\.",
    ):
        refuse_more_records(1_000_000, 20, 39_999_999)
