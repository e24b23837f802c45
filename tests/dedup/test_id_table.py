"""Ids in a table, whatever type they came as."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.id_table import IdTable
from gpucurate.spec.errors import StorageError


@settings(deadline=None)
@given(
    listed=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50),
    asked=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=20),
)
def test_the_table_holds_what_it_was_made_of(listed: list[int], asked: list[int | None]) -> None:
    table = IdTable.of([pa.array(listed[:7], pa.int64()), pa.array(listed[7:], pa.int64())])
    asked = [*asked, *listed[:5]]
    found, missing = table.contains(pa.array(asked, pa.int64()))
    assert found.tolist() == [value in set(listed) for value in asked]
    assert missing == asked.count(None)
    assert len(table) == len(set(listed))


def test_numbers_and_their_text_are_one_id() -> None:
    table = IdTable.of([pa.array([7]), pa.array(["x", None])])
    for column in (
        pa.array([7, 8]),
        pa.array(["7", "8"]),
        pa.array([7.0, 8.0]),
        pa.array(["7", "8"], pa.string_view()),
    ):
        assert table.contains(column)[0].tolist() == [True, False]
    assert table.contains(pa.array(["x", None, ""]))[0].tolist() == [True, False, False]


def test_ids_that_share_the_first_word_are_told_apart() -> None:
    table = IdTable(np.array([5, 5, 5, 9], np.uint64), np.array([1, 2, 3, 4], np.uint64))
    asked = np.array([[5, 2], [5, 4], [9, 4], [5, 3], [0, 0], [9, 5]], np.uint64)
    assert table._holds(asked).tolist() == [True, False, True, True, False, False]


def test_a_table_on_disk_is_the_same(tmp_path: Path) -> None:
    for values in ([], [3, 1, 2]):
        table = IdTable.of([pa.array(values, pa.int64())])
        table.save(tmp_path / "ids")
        again = IdTable.open(tmp_path / "ids")
        assert (len(again), again.digest) == (len(values), table.digest)
        assert again.contains(pa.array([2]))[0].tolist() == [bool(values)]
    with pytest.raises(StorageError):
        IdTable.open(tmp_path / "none")


def test_the_digest_tells_sets_apart_and_not_their_order() -> None:
    digests = [IdTable.of([pa.array(values)]).digest for values in ([1, 2], [2, 1, 1], [1, 3])]
    assert digests[0] == digests[1] != digests[2]
