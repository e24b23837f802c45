"""A short soak: nothing stays behind, and a driver that leaks would be found."""

from __future__ import annotations

import pytest

from tests.soak.soak import Soak, faults, slope_of, soak, table, write_pages

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("executor", ["local", "inline"])
def test_runs_in_one_process_leave_no_file_process_or_shared_memory(tmp_path, executor):
    source = tmp_path / "input" / "pages.jsonl"
    source.parent.mkdir()
    write_pages(source, 2_000_000)
    seen = soak(0.05, source, tmp_path, executor)
    assert faults(seen) == []
    assert len(seen.seconds) >= 2
    assert "| open files of the driver |" in table(seen, executor)


def seen_with(driver: list[int], **others) -> Soak:
    rounds = len(driver)
    values = {"workers": [10**8] * rounds, "files": [6] * rounds, **others}
    return Soak([float(10 * at) for at in range(rounds)], driver, **values)


def test_a_driver_that_grows_a_little_with_each_run_is_found():
    seen = seen_with([200 * 10**6 + at * 50_000 + at % 3 * 100_000 for at in range(60)])
    slope = slope_of(seen, seen.driver)
    assert slope is not None
    assert slope.low < 18.0 < slope.high, "50 kB in 10 s are 18 MB an hour"
    (wrong,) = faults(seen)
    assert wrong.startswith("memory of the driver grows by +1")


def test_one_that_jumps_about_is_not():
    assert faults(seen_with([200 * 10**6 + at * 7919 % 13 * 10**6 for at in range(60)])) == []


def test_files_that_stay_open_and_what_is_left_are_told():
    seen = seen_with([10**8] * 20, files=[6, *range(6, 25)], left=["process 7 (zombie)"])
    assert faults(seen) == [
        "stayed behind: process 7 (zombie)",
        "6 open files after the second round, 24 after the last",
    ]
