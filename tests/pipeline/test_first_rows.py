"""Rows count through a file that was read in ranges; where one is missing, nobody knows."""

from __future__ import annotations

from gpucurate.pipeline.run import first_rows
from gpucurate.spec.source import FileRange, InputFile
from gpucurate.spec.unit import RangeTally, Unit, UnitResult


def unit(name: str, ordinal: int) -> Unit:
    file = InputFile(f"/{name}", name, 30, 1, None, "jsonl", "none")
    return Unit(f"{name}{ordinal}", 0, ((FileRange(file, 10 * ordinal, 10 * ordinal + 10, ordinal, 3),),), 10)


def result(name: str, ordinal: int, records: int) -> UnitResult:
    return UnitResult(f"{name}{ordinal}", tallies=[RangeTally(name, ordinal, records, 0)])


UNITS = [unit("a", 0), unit("a", 1), unit("a", 2), unit("b", 0)]


def test_rows_add_up_over_the_ranges_of_a_file() -> None:
    results = [result("a", 0, 5), result("a", 1, 7), result("a", 2, 1), result("b", 0, 3)]
    assert first_rows(UNITS, results) == {("a", 0): 0, ("a", 1): 5, ("a", 2): 12, ("b", 0): 0}


def test_rows_after_a_range_that_was_not_read_are_not_known() -> None:
    results = [result("a", 0, 5), result("a", 2, 1), result("b", 0, 3)]
    assert first_rows(UNITS, results) == {("a", 0): 0, ("a", 2): None, ("b", 0): 0}
