"""Runs of equal keys come whole, whatever memory there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpucurate.dedup.key_runs import key_runs
from tests.dedup.test_components import key_set


@pytest.mark.parametrize("memory", [1 << 30, 20_000, 1])
def test_runs_are_those_of_the_wanted_documents(memory: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    units = [rng.integers(0, 90, (size, 2)).astype(np.uint64) << np.uint64(57) for size in (80, 0, 130)]
    wanted = rng.random(210) < 0.7
    runs: list[dict[int, list[int]]] = [{}, {}]
    for document, row in enumerate(np.concatenate(units).tolist()):
        for band, key in enumerate(row):
            if wanted[document]:
                runs[band].setdefault(key, []).append(document)
    expected = [sorted(members for members in band.values() if len(members) > 1) for band in runs]
    found: list[list[int]] = []
    for words, ids in key_runs(key_set(tmp_path, units), 2, wanted, memory):
        assert (np.diff(words.astype(object)) >= 0).all()
        found += [ids[words == word].tolist() for word in np.unique(words)]
    assert sorted(found) == sorted([*expected[0], *expected[1]])


def test_nothing_wanted_gives_no_runs(tmp_path: Path) -> None:
    keys = key_set(tmp_path, [np.zeros((5, 3), np.uint64)])
    assert [len(ids) for _, ids in key_runs(keys, 3, np.zeros(5, bool), 1 << 20)] == [0, 0, 0]
