"""A table of pairs knows what it was told, in memory and on disk."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup import pair_table
from gpucurate.dedup.pair_table import PairTable, pack, unpack


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.sets(st.integers(0, 60)), max_size=12),
    on_disk=st.booleans(),
    asked=st.sets(st.integers(0, 70)),
)
def test_what_was_added_is_found_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, parts: list[set[int]], on_disk: bool, asked: set[int]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pair_table, "_BLOCK", 7)  # merged over several blocks
        folder = tmp_path_factory.mktemp("pairs") if on_disk else None
        table, known = PairTable(folder), {}
        for part in parts:
            new = np.array(sorted(part - known.keys()), np.uint64)
            table.add(new, new / 100)
            known |= {pair: pair / 100 for pair in new.tolist()}
            assert len(table) == len(known)
        found = table.find(np.array(sorted(asked), np.uint64))
        assert [None if np.isnan(v) else v for v in found] == [known.get(pair) for pair in sorted(asked)]
        blocks = list(table.blocks())
        assert [pair for pairs, _ in blocks for pair in pairs.tolist()] == sorted(known)
        assert [v for _, values in blocks for v in values.tolist()] == [known[pair] for pair in sorted(known)]
        assert table.find(np.array(sorted(known), np.uint64)).tolist() == [known[p] for p in sorted(known)]


def test_few_segments_are_kept(tmp_path: Path) -> None:
    table = PairTable(tmp_path / "pairs")
    for number in range(200):
        table.add(np.array([number], np.uint64), np.ones(1))
    assert len(list((tmp_path / "pairs").iterdir())) <= 2 * 8


def leaders(count: int) -> list[np.ndarray]:
    """Pairs of each of some leaders with as many others: one after the other, none in between."""
    others = np.arange(1000, 1000 + count, dtype=np.uint32)
    return [pack(np.full(count, number, np.uint32), others) for number in (2, 1, 3, 0)]


def test_merging_and_looking_up_take_memory_of_a_block_not_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_table, "_BLOCK", 1 << 12)
    table = PairTable(tmp_path / "pairs")
    for part in leaders(200_000):
        for first in range(0, len(part), 20_000):
            pairs = part[first : first + 20_000]
            tracemalloc.start()
            try:
                table.add(pairs, np.full(len(pairs), 0.5))
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak < 1 << 20  # what is added is 320 kB
    assert np.isfinite(table.find(np.sort(np.concatenate(leaders(200_000))))).all()
    assert sum(len(pairs) for pairs, _ in table.blocks()) == 800_000
    assert held_of(tmp_path / "pairs") == 0


def held_of(folder: Path) -> int:
    """Bytes of files of a folder that this process has in memory."""
    rows = Path("/proc/self/smaps").read_text().splitlines()
    maps = [at for at, row in enumerate(rows) if str(folder) in row]
    assert maps
    return sum(int(rows[at + 4].split()[1]) for at in maps if rows[at + 4].startswith("Rss"))


def test_a_pair_is_one_number_whichever_document_comes_first() -> None:
    left, right = np.array([5, 2**32 - 2], np.uint32), np.array([3, 7], np.uint32)
    assert pack(left, right).tolist() == pack(right, left).tolist() == [3 << 32 | 5, 7 << 32 | 2**32 - 2]
    low, high = unpack(pack(left, right))
    assert (low.tolist(), high.tolist()) == ([3, 7], [5, 2**32 - 2])
