"""Which occurrences of segments are cut, and marks on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpucurate.dedup import segment_marks, segment_policy
from gpucurate.dedup.segment_marks import SegmentMarks
from gpucurate.dedup.segment_policy import CutPolicy, most_frequent
from gpucurate.ops.survivors import count_members
from gpucurate.spec.errors import StorageError

LABELS = np.array([0, 1, 0, 3, 1, 0], np.uint32)
SIZES = count_members(LABELS)


@pytest.mark.parametrize(
    ("policy", "cut"),
    [
        (CutPolicy(), [2, 4, 5]),
        (CutPolicy(min_count=3), [2, 5]),
        (CutPolicy("none"), [0, 1, 2, 4, 5]),
        (CutPolicy("none", 3), [0, 2, 5]),
        (CutPolicy(min_count=4), []),
    ],
)
def test_what_is_cut_of_a_group(policy: CutPolicy, cut: list[int]) -> None:
    assert np.flatnonzero(policy.cut(LABELS, SIZES, 0, 6)).tolist() == cut
    assert (np.flatnonzero(policy.cut(LABELS, SIZES, 2, 5)) + 2).tolist() == [i for i in cut if 2 <= i < 5]


@pytest.mark.parametrize("step", [1, 3, 100])
def test_the_most_frequent_come_first_and_of_equals_the_earlier(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_policy, "_STEP", step)
    sizes = np.array([0, 2, 5, 1, 2, 7, 5, 0, 2], np.uint32)
    assert most_frequent(sizes, 5) == [5, 2, 6, 1, 4]
    assert most_frequent(sizes, 2) == [5, 2]
    assert most_frequent(sizes, 5, min_count=3) == [5, 2, 6]
    assert most_frequent(sizes[:1], 5) == []


@pytest.mark.parametrize("step", [8, 16, 1 << 20])
def test_marks_are_read_back_in_any_slices(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_marks, "_STEP", step)
    labels = np.random.default_rng(4).integers(0, 20, 100).astype(np.uint32)
    sizes, bases = count_members(labels), np.array([0, 60, 60, 100])
    marks, policy = SegmentMarks(tmp_path / "marks"), CutPolicy(min_count=5)
    expected = policy.cut(labels, sizes, 0, 100)
    assert marks.write(bases, labels, sizes, policy, with_labels=True) == expected.sum()
    for first, count in ((0, 100), (3, 5), (60, 40), (99, 1), (7, 0)):
        assert marks.cut(first, count).tolist() == expected[first : first + count].tolist()
        assert marks.labels(first, count).tolist() == labels[first : first + count].tolist()
    assert [marks.unit(i) for i in range(3)] == [(0, 60), (60, 60), (60, 100)]


def test_marks_of_another_run_are_refused(tmp_path: Path) -> None:
    marks = SegmentMarks(tmp_path)
    marks.write(np.array([0, 6]), LABELS, SIZES, CutPolicy(), with_labels=False)
    with pytest.raises(StorageError, match="ends before entry 2"):
        marks.cut(2, 9)
    with pytest.raises(StorageError, match=r"cannot read .*labels\.u32"):
        marks.labels(0, 1)
