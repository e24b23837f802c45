"""Killing at a named place: once, whichever process comes there as the n-th, and never unasked."""

import os
import signal
from pathlib import Path

import pytest

from gpucurate.disk import crash
from gpucurate.disk.crash_points import POINTS

POINT = next(iter(POINTS))


def test_without_the_variable_nothing_happens() -> None:
    crash.reach("not even a point")


@pytest.mark.parametrize("setting", ["no.such.point:1:counter", POINT, f"{POINT}:x:counter"])
def test_a_setting_that_names_nothing_is_refused(setting: str) -> None:
    with pytest.raises(ValueError):
        crash.arm(setting)


def test_the_nth_process_to_come_there_is_killed_and_no_other(tmp_path: Path) -> None:
    assert [_ends(f"{POINT}:2:{tmp_path / 'counter'}") for _ in range(4)] == [0, -signal.SIGKILL, 0, 0]


def test_points_that_are_reached_can_be_listed(tmp_path: Path) -> None:
    assert _ends(f"*:0:{tmp_path / 'counter'}") == 0
    assert (tmp_path / "counter").read_text() == f"{POINT}\n"


def test_a_place_that_is_not_in_the_list_is_found_out(tmp_path: Path) -> None:
    crash.arm(f"*:0:{tmp_path / 'counter'}")
    try:
        with pytest.raises(ValueError, match="not in the list"):
            crash.reach("elsewhere")
    finally:
        crash.arm(None)


def _ends(setting: str) -> int:
    """How a process ends that is armed so and reaches the point once."""
    pid = os.fork()
    if not pid:
        crash.arm(setting)
        crash.reach(POINT)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
