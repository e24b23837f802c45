"""The comparison of schedulers does the same work everywhere, and tells of what fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bench_scheduler import _row
from benchmarks.peers.environments import REQUIREMENTS, Environment, pinned_version
from benchmarks.peers.processes import ROOT
from benchmarks.scheduler.contest import Contestant, peer, race
from benchmarks.scheduler.work import Count, Make, Measure


def contestant(*rates, title="peer"):
    made = Contestant(title, "nothing", ())
    made.runs = [{"tasks": 101, "seconds": 1 + 100 / rate, "first": 1.0} for rate in rates]
    return made


@pytest.mark.parametrize("name", ["ray", "cosmos-xenna"])
def test_every_peer_is_pinned_to_the_last_package(name):
    pins = (REQUIREMENTS / f"{name}.txt").read_text()
    assert all(line.count("==") == 1 for line in pins.splitlines())
    assert pinned_version(pins, name)


def test_a_task_is_as_large_as_it_says_and_nothing_of_it_is_lost():
    made = Make(1_000_000)(3)
    assert 0.99e6 < made.nbytes < 1.01e6
    assert made["id"][0].as_py() == 3 * made.num_rows
    sums = Count.sums(Count()(Measure()(made)))
    assert (sums["documents"], sums["characters"]) == (made.num_rows, made.num_rows * 4096)


def test_rates_are_medians_whole_and_after_the_first_result():
    measured = contestant(50, 100, 100)
    assert measured.rate == pytest.approx(101 / 2)
    assert measured.steady_rate == pytest.approx(100)


def test_a_row_has_how_many_times_as_fast_and_what_was_asked_for():
    row = _row(contestant(400, title="ray, fused"), [contestant(50), contestant(25)])
    assert row[4:] == ["2.40", "8.00", "4.00", "16.0", "8", ""]


def test_what_fails_stands_in_the_table_with_its_reason():
    broken = Contestant("broken", "benchmarks.scheduler.absent", (), sys.executable)
    race([broken], 2, lambda _: None)
    assert not broken.runs
    assert "failed 2 times: " in _row(broken, [])[-1]
    assert "No module named" in broken.remark
    absent = peer("streaming", Environment("xenna", "1", None, "no such package"), "m", ())
    race([absent], 2, lambda _: None)
    assert absent.remark == "failed 1 times: does not install: no such package"


def test_what_a_run_leaves_behind_is_ended(tmp_path, monkeypatch):
    (tmp_path / "leaves.py").write_text(
        "import subprocess\n"
        "quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True, **quiet)\n"
        'print(\'{"tasks": 1, "pid": %d}\' % child.pid)\n'
    )
    monkeypatch.setattr("benchmarks.scheduler.contest.ROOT", tmp_path)
    leaves = Contestant("leaves", "leaves", ())
    race([leaves], 1, lambda _: None)
    (run,) = leaves.runs
    status = Path(f"/proc/{run['pid']}/status")
    assert not status.exists() or "zombie" in status.read_text()


def test_the_command_knows_its_parts():
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_scheduler", "--help"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "stages,units,modes" in told.stdout.replace("{", "").replace("}", "")
