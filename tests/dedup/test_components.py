"""Components of equal keys: right, and the same however the work is cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup import components
from gpucurate.dedup.components import find_components
from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout


def key_set(folder: Path, units: list[np.ndarray]) -> KeySet:
    paths = []
    for number, keys in enumerate(units):
        writer = KeyFileWriter(folder / f"{number}.keys", Layout(keys.shape[1]))
        for at in range(0, len(keys), 7):  # several blocks a file
            part = keys[at : at + 7]
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


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    wide=st.booleans(),
    threads=st.integers(1, 3),
)
def test_labels_are_the_smallest_documents_of_the_components(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int], wide: bool, threads: int
) -> None:
    rng = np.random.default_rng(seed)
    units = [rng.integers(0, 30, (size, 2)).astype(np.uint64) << np.uint64(59) for size in sizes]
    keys = key_set(tmp_path_factory.mktemp("keys"), units)
    labels = find_components(keys, 2, wide=wide, memory=1 << 20, threads=threads)
    assert labels.tolist() == by_networkx(np.concatenate(units), wide)


@pytest.mark.parametrize("wide", [False, True])
def test_several_passes_find_what_one_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: bool
) -> None:
    rng = np.random.default_rng(5)
    units = [rng.integers(0, 2**64, (500, 4), dtype=np.uint64) for _ in range(3)]
    for unit in units:
        unit[::3] = units[0][::3]  # shared keys over the whole key space
    keys = key_set(tmp_path, units)
    one = find_components(keys, 2 if wide else 4, wide=wide, memory=1 << 30, threads=1)
    monkeypatch.setattr(components, "LEAST_PAIRS", 100)
    many = find_components(keys, 2 if wide else 4, wide=wide, memory=1, threads=2)
    assert len(set(one.tolist())) < 1500
    assert many.tolist() == one.tolist()


def test_memory_decides_the_number_of_passes() -> None:
    one = list(components._passes(10**8, 16, wide=False, memory=10**10))
    many = list(components._passes(10**8, 16, wide=False, memory=10**8))
    assert len(one) == 16
    assert len(many) == 16 * 25
    for band in range(16):
        edges = [(p.low, p.high) for p in many if p.band == band]
        assert edges[0][0] == 0
        assert edges[-1][1] == 2**64 - 1
        assert all(a[1] + 1 == b[0] for a, b in pairwise(edges))
