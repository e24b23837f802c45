"""Runs of equal keys are those of the documents, in parts that fit, whatever memory there is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.band_pairs import BandPairs
from gpucurate.dedup.key_ranges import KeyRange
from gpucurate.dedup.key_runs import PAIR_BYTES, KeyRuns, key_runs
from tests.dedup.test_components import key_set


def expected_runs(units: list[np.ndarray], wanted: np.ndarray) -> list[tuple[int, int, list[int]]]:
    """Band, key and members of each run, in order."""
    runs: dict[tuple[int, int], list[int]] = {}
    for document, row in enumerate(np.concatenate(units).tolist()):
        for band, key in enumerate(row):
            if wanted[document]:
                runs.setdefault((band, key), []).append(document)
    return [(*run, members) for run, members in sorted(runs.items()) if len(members) > 1]


def found_runs(parts: Iterable[KeyRuns]) -> list[tuple[int, list[int]]]:
    """Key and members of each run, put together of its parts, in order."""
    runs: list[tuple[int, list[int]]] = []
    goes_on = False
    for part in parts:
        assert (np.diff(part.words.astype(object)) >= 0).all()
        for word in np.unique(part.words):
            if not goes_on:
                runs.append((int(word), []))
            assert runs[-1][0] == word
            runs[-1][1].extend(part.ids[part.words == word].tolist())
        goes_on = part.goes_on
        assert not goes_on or len(np.unique(part.words)) == 1
    return runs


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    values=st.sampled_from([1, 2, 30, 200]),
    shift=st.sampled_from([0, 20, 56]),
    common=st.sampled_from([0, 2**64 - 2**16, 2**64 - 1]),
    capacity=st.integers(1, 250),
)
def test_runs_are_those_of_the_wanted_documents_however_few_fit(
    tmp_path_factory: pytest.TempPathFactory, seed: int, values: int, shift: int, common: int, capacity: int
) -> None:
    rng = np.random.default_rng(seed)
    units = [
        rng.integers(0, values, (size, 2)).astype(np.uint64) << np.uint64(shift) for size in (80, 0, 130)
    ]
    for unit in units:
        unit[rng.random(len(unit)) < 0.4] |= np.uint64(common)
    wanted = rng.random(210) < 0.7
    keys = key_set(tmp_path_factory.mktemp("keys"), units)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gpucurate.dedup.key_runs.LEAST_PAIRS", 1)
        parts = list(key_runs(keys, 2, wanted, capacity * PAIR_BYTES))
    assert max(len(part.ids) for part in parts) <= capacity
    assert found_runs(parts) == [(key, members) for _, key, members in expected_runs(units, wanted)]


def test_a_key_of_all_documents_comes_in_parts_and_reads_the_keys_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpucurate.dedup.key_runs.LEAST_PAIRS", 1)
    passes: list[KeyRange] = []
    blocks = BandPairs.blocks

    def counted(self: BandPairs, of: KeyRange) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        passes.append(of)
        return blocks(self, of)

    monkeypatch.setattr(BandPairs, "blocks", counted)
    keys = key_set(tmp_path, [np.full((100_000, 1), 2**63 + 5, np.uint64)], block=9000)
    parts = list(key_runs(keys, 1, np.ones(100_000, bool), 1000 * PAIR_BYTES))
    assert [len(part.ids) for part in parts] == [1000] * 100
    assert [part.goes_on for part in parts] == [True] * 99 + [False]
    assert len(passes) == 4 + 1  # counts by 16 bits of the key after the other, and the run itself


@pytest.mark.parametrize("values", [1, 10, 2**40])
def test_memory_holds_whatever_the_keys_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: int
) -> None:
    monkeypatch.setattr("gpucurate.dedup.key_runs.LEAST_PAIRS", 1)
    column = np.random.default_rng(1).integers(0, values, (200_000, 1)).astype(np.uint64)
    keys = key_set(tmp_path, [column, column], block=10_000)
    wanted, memory = np.ones(400_000, bool), 40_000 * PAIR_BYTES
    tracemalloc.start()
    try:
        assert sum(len(part.ids) for part in key_runs(keys, 1, wanted, memory)) == 400_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= memory


def test_nothing_wanted_gives_no_runs(tmp_path: Path) -> None:
    keys = key_set(tmp_path, [np.zeros((5, 3), np.uint64)])
    assert [len(part.ids) for part in key_runs(keys, 3, np.zeros(5, bool), 1 << 20)] == [0, 0, 0]
