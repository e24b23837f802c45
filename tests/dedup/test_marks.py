"""Marks on disk answer for any slice of ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout
from gpucurate.dedup.marks import ALONE, Marks
from gpucurate.dedup.survivors import choose
from gpucurate.spec.errors import StorageError


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    """Twenty records in two units; record 3 was rejected, 4 and 17 repeat 2."""
    for number, count in enumerate([9, 11]):
        writer = KeyFileWriter(tmp_path / f"{number}", Layout(1))
        lengths = np.ones(count, np.uint32)
        if number == 0:
            lengths[3] = 0
        writer.append(count, np.zeros(0, np.uint32), np.zeros((0, 1), np.uint64), lengths)
        writer.close()
    keys = KeySet([tmp_path / "0", tmp_path / "1"], np.array([0, 9, 20], np.int64))
    labels = np.arange(20, dtype=np.uint32)
    labels[[4, 17]] = 2
    found = Marks(tmp_path / "marks")
    found.write(keys, choose(labels, keys, "first"), [[4, 5], [11]], with_labels=True)
    return found


@pytest.mark.parametrize(("first", "stop"), [(0, 20), (3, 5), (8, 17), (17, 18), (5, 5)])
def test_bits_are_found_by_id(marks: Marks, first: int, stop: int) -> None:
    ids = np.arange(first, stop)
    assert marks.kept(ids).tolist() == [i not in (3, 4, 17) for i in ids]
    assert marks.accepted(ids).tolist() == [i != 3 for i in ids]
    assert marks.labels(ids).tolist() == [2 if i in (2, 4, 17) else ALONE for i in ids]


def test_gaps_between_ids_are_skipped(marks: Marks) -> None:
    assert marks.kept(np.array([2, 4, 17, 19])).tolist() == [True, False, False, True]


def test_a_range_begins_where_the_ones_before_it_end(marks: Marks) -> None:
    assert [marks.base(0, 0), marks.base(0, 1), marks.base(1, 0)] == [0, 4, 9]


def test_ids_beyond_the_end_are_an_error(marks: Marks) -> None:
    with pytest.raises(StorageError, match="not of this run"):
        marks.kept(np.arange(30, 40))
