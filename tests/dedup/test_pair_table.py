"""A table of pairs knows what it was told, in memory and on disk."""

from __future__ import annotations

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


def test_a_pair_is_one_number_whichever_document_comes_first() -> None:
    left, right = np.array([5, 2**32 - 2], np.uint32), np.array([3, 7], np.uint32)
    assert pack(left, right).tolist() == pack(right, left).tolist() == [3 << 32 | 5, 7 << 32 | 2**32 - 2]
    low, high = unpack(pack(left, right))
    assert (low.tolist(), high.tolist()) == ([3, 7], [5, 2**32 - 2])
