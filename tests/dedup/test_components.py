"""Components of equal keys: right, and the same however little memory there is."""

from __future__ import annotations

import resource
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup import components
from gpucurate.dedup.components import PARENT_BYTES, find_components, plan_budget
from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout
from gpucurate.dedup.pair_sort import PAIR_BYTES
from gpucurate.dedup.spill import SortedRuns
from gpucurate.spec.errors import ConfigurationError, StorageError


def key_set(folder: Path, units: list[np.ndarray], block: int = 7) -> KeySet:
    paths = []
    for number, keys in enumerate(units):
        writer = KeyFileWriter(folder / f"{number}.keys", Layout(keys.shape[1]))
        for at in range(0, len(keys), block):  # several blocks a file
            part = keys[at : at + block]
            ids = np.arange(len(part), dtype=np.uint32)
            writer.append(len(part), ids, part, np.ones(len(part), np.uint32))
        writer.close()
        paths.append(folder / f"{number}.keys")
    bases = np.cumsum([0, *map(len, units)], dtype=np.int64)
    return KeySet(paths, bases)


def by_networkx(keys: np.ndarray, wide: bool) -> list[int]:
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(keys)))
    groups: dict[object, int] = {}
    for i, row in enumerate(keys.tolist()):
        for key in [tuple(row)] if wide else list(enumerate(row)):
            graph.add_edge(i, groups.setdefault(key, i))
    labels = [0] * len(keys)
    for component in networkx.connected_components(graph):
        for member in component:
            labels[member] = min(component)
    return labels


def least_memory(documents: int, wide: bool) -> int:
    """The smallest budget that is not refused."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        try:
            plan_budget(documents, documents, 2 if wide else 1, middle, 1)
        except ConfigurationError:
            low = middle
        else:
            high = middle
    return high


@contextmanager
def counted_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Lengths of the runs that are spilled meanwhile."""
    lengths: list[int] = []
    append = SortedRuns.append

    def counted(self: SortedRuns, words: np.ndarray, ids: np.ndarray) -> None:
        lengths.append(len(ids))
        append(self, words, ids)

    with monkeypatch.context() as patch:
        patch.setattr(SortedRuns, "append", counted)
        yield lengths


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(0, 400), min_size=1, max_size=4),
    values=st.sampled_from([1, 3, 30, 1000, 2**40]),
    shift=st.sampled_from([0, 24, 54]),
    wide=st.booleans(),
    threads=st.integers(1, 3),
    spare=st.integers(0, 20_000),
)
def test_labels_are_the_smallest_documents_of_the_components_under_any_budget(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    sizes: list[int],
    values: int,
    shift: int,
    wide: bool,
    threads: int,
    spare: int,
) -> None:
    rng = np.random.default_rng(seed)
    units = [rng.integers(0, values, (size, 2)).astype(np.uint64) << np.uint64(shift) for size in sizes]
    folder = tmp_path_factory.mktemp("keys")
    keys = key_set(folder, units)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(components, "LEAST_PAIRS", 1)
        memory = least_memory(sum(sizes), wide) + spare
        labels = find_components(keys, 2, wide=wide, memory=memory, threads=threads, scratch=folder / "s")
    assert labels.tolist() == by_networkx(np.concatenate(units), wide)
    assert not list((folder / "s").iterdir())


@pytest.mark.parametrize("wide", [False, True])
def test_what_does_not_fit_is_spilled_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: bool
) -> None:
    rng = np.random.default_rng(5)
    units = [rng.integers(0, 2**64, (20_000, 4), dtype=np.uint64) for _ in range(3)]
    for unit in units:
        unit[::3] = units[0][::3]  # shared keys over the whole key space
    keys = key_set(tmp_path, units, block=3000)
    bands = 2 if wide else 4

    def labels(memory: int, threads: int) -> np.ndarray:
        return find_components(keys, bands, wide=wide, memory=memory, threads=threads, scratch=tmp_path / "s")

    whole = PARENT_BYTES * 60_000 + PAIR_BYTES[2 if wide else 1] * 60_000
    with counted_runs(monkeypatch) as spilled:
        ample = labels(whole, 1)
    assert not spilled
    with counted_runs(monkeypatch) as spilled:
        fewer = labels(whole - PAIR_BYTES[2 if wide else 1], 1)
    assert len(spilled) == 2 * (1 if wide else 4)
    assert (fewer == ample).all()
    with counted_runs(monkeypatch) as spilled:
        scarce = labels(least_memory(60_000, wide), 2)
    assert len(spilled) >= (4 if wide else 16)
    assert len(set(ample.tolist())) == 60_000 - 2 * 6667
    assert (scarce == ample).all()


def test_copies_of_few_documents_are_never_spilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = np.tile(np.arange(1, 11, dtype=np.uint64)[:, None] << np.uint64(50), (10_000, 2))
    keys = key_set(tmp_path, [copies], block=5000)
    with counted_runs(monkeypatch) as spilled:
        labels = find_components(
            keys, 2, wide=False, memory=least_memory(100_000, False), threads=2, scratch=tmp_path / "s"
        )
    assert not spilled
    assert (labels == np.arange(100_000) % 10).all()


def one_cluster(documents: int, bands: int) -> np.ndarray:
    return np.tile(np.arange(bands, dtype=np.uint64) << np.uint64(40), (documents, 1))


def pairs(documents: int, bands: int) -> np.ndarray:
    keys = np.random.default_rng(1).integers(0, 2**64, (documents // 2, bands), dtype=np.uint64)
    return np.concatenate([keys, keys])


def skewed(documents: int, bands: int) -> np.ndarray:
    """Half of it one key, the other half keys of their own."""
    keys = np.random.default_rng(2).integers(0, 2**64, (documents, bands), dtype=np.uint64)
    keys[::2] = keys[0]
    return keys


def test_a_cluster_of_all_documents_costs_no_more_than_clusters_of_two(tmp_path: Path) -> None:
    documents, bands = 200_000, 4
    memory = 4 * documents + 24 * 40_000  # a fifth of a band
    seconds: dict[str, float] = {}
    peaks: dict[str, int] = {}
    for corpus in (one_cluster, pairs, skewed):
        folder = tmp_path / corpus.__name__
        folder.mkdir()
        keys = key_set(folder, [corpus(documents, bands)], block=20_000)
        times = []
        for _ in range(3):
            began = time.process_time()
            find_components(keys, bands, wide=False, memory=memory, threads=1, scratch=folder / "s")
            times.append(time.process_time() - began)
        seconds[corpus.__name__] = min(times)
        peaks[corpus.__name__] = peak_of(
            lambda keys=keys, folder=folder: find_components(
                keys, bands, wide=False, memory=memory, threads=1, scratch=folder / "s"
            )
        )
    assert max(seconds["one_cluster"], seconds["skewed"]) <= 2 * seconds["pairs"]
    assert max(peaks.values()) <= 2 * min(peaks.values())
    assert max(peaks.values()) <= memory * 1.1 + (1 << 20)


def peak_of(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("corpus", [one_cluster, pairs, skewed])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_budget_holds_whatever_the_keys_are(
    tmp_path: Path, corpus: Callable[[int, int], np.ndarray], wide: bool, threads: int
) -> None:
    keys = key_set(tmp_path, [corpus(100_000, 2)], block=10_000)
    memory = 400_000 + PAIR_BYTES[2 if wide else 1] * 40_000
    peak = peak_of(
        lambda: find_components(
            keys, 2, wide=wide, memory=memory, threads=threads, scratch=tmp_path / "scratch"
        )
    )
    assert peak <= memory * 1.05 + (1 << 19)  # and the lists of blocks, a read block of each thread


def test_a_budget_below_the_floor_is_refused_with_what_was_given_and_what_is_needed(tmp_path: Path) -> None:
    keys = key_set(tmp_path, [pairs(100_000, 1)], block=50_000)
    least = least_memory(100_000, False)
    with pytest.raises(
        ConfigurationError,
        match=rf"100,000 records takes 400 kB, 4 bytes each, .* takes memory={-(-2 * least // 1000)}kB "
        r"\(--memory\), 2 times as much .* but the run may use 700 kB\.",
    ):
        find_components(keys, 1, wide=False, memory=700_000, threads=1, scratch=tmp_path / "s", share=2)
    find_components(keys, 1, wide=False, memory=2 * least, threads=1, scratch=tmp_path / "s", share=2)


def test_a_scratch_disk_that_is_full_is_an_error_that_names_it(tmp_path: Path) -> None:
    keys = key_set(tmp_path, [pairs(100_000, 1)], block=50_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*/s/band-0: File too large"):
            find_components(
                keys, 1, wide=False, memory=least_memory(100_000, False), threads=1, scratch=tmp_path / "s"
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "s").iterdir())


def test_one_whole_band_is_held_at_most_and_threads_share_what_is_less() -> None:
    ample = plan_budget(10**8, 10**8, words=1, memory=10**12, threads=16)
    assert (ample.capacity, ample.threads) == (10**8, 1)
    scarce = plan_budget(10**8, 10**8, words=1, memory=10**9, threads=4)
    assert scarce.threads == 4
    assert 0.55e9 < 24 * 4 * scarce.capacity <= 0.6e9
    fewer = plan_budget(10**8, 10**8, words=1, memory=450_000_000, threads=4)
    assert fewer.threads == 2
