"""The table in docs/input.md and what is held by tests are the same classes."""

from __future__ import annotations

from pathlib import Path

from tests.input_classes.table import ELSEWHERE, FIRST, LAST, held, is_there, rows_of


def test_each_class_is_told_once_and_held_by_a_test(repository: Path) -> None:
    rows = rows_of((repository / "docs" / "input.md").read_text())
    assert [row.number for row in rows] == list(range(FIRST, LAST + 1))
    told = {row.number: set(row.held_by.split(", ")) for row in rows}
    assert all(told.values())
    assert told == held()


def test_tests_that_are_named_elsewhere_are_there(repository: Path) -> None:
    for test in ELSEWHERE.values():
        assert is_there(repository, test), test
