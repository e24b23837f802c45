from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from rich.console import Console

from gpucurate.spec.books import Books
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.spec.unit import UnitResult
from gpucurate.telemetry.memory_watch import MemoryWatch
from gpucurate.telemetry.progress import TerminalProgress
from gpucurate.telemetry.report import PhaseReport, RunReport, report_from_dict, sum_books, sum_stages
from tests.backends.corpus import wait_for


def result(unit: str, n: int) -> UnitResult:
    stats = [
        StagePerfStats(name, 0.5, num_items_processed=n, custom_metrics=Counter(seen=n)) for name in "ab"
    ]
    return UnitResult(unit, books=Books(read=n, kept=n), stages=stats)


def test_figures_of_units_are_summed_by_stage():
    total = sum_stages([result("u", 3), result("v", 4)])
    assert [(s.stage_name, s.process_time, s.num_items_processed) for s in total] == [
        ("a", 1.0, 7),
        ("b", 1.0, 7),
    ]
    assert total[0].custom_metrics == {"seen": 7}
    assert sum_books([result("u", 3), result("v", 4)]).read == 7


def test_statistics_survive_json():
    stats = result("u", 3).stages[0]
    assert StagePerfStats.from_dict(json.loads(json.dumps(stats.to_dict()))) == stats


def test_a_report_that_was_read_back_says_the_same():
    report = RunReport("test", "inline", books=Books(read=3, kept=3), input_bytes=10, ignored=[("a", "b")])
    report.phases.append(PhaseReport("main", 1.0, stages=result("u", 3).stages))
    report.details["clusters"] = {"count": 1}
    written = json.loads(json.dumps(report.to_dict()))
    assert report_from_dict(written).to_dict() == written


def test_a_run_tells_what_became_of_the_documents_and_what_an_earlier_run_had_done():
    books = Books(read=3200, kept=1198, dropped=Counter(short=2000), rejected=Counter(poison=2))
    told = RunReport("test", "inline", books=books, phases=[PhaseReport("main", 1, 16, resumed_units=4)])
    assert told.describe().splitlines()[1:] == [
        "documents: 3,200 read, 1,198 kept, 2,000 dropped, 2 rejected (poison)",
        "main: 16 units (4 of them by an earlier run) in 1.0 s, 0 tried again",
    ]
    books = Books(read=3, kept=2, quarantined=2, added=Counter(twice=1))
    assert books.describe() == "documents: 3 read, 2 kept, 0 dropped, 2 set aside, 1 added"


def shown(*, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    progress = TerminalProgress(console, MemoryWatch())
    progress.phase_started("[keys]", 4, 100, 1, 25)
    progress.unit_committed(result("u", 3), 25)
    progress.trouble("unit 3: [bold] is no markup here")
    progress.phase_ended("[keys]")
    return console.file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_tells_what_was_done_before_and_trouble_word_by_word(terminal):
    said = shown(terminal=terminal)
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)
    assert "[keys]: 1 of 4 units were done by an earlier run" in words
    assert "unit 3: [bold] is no markup here" in words
    assert ("\x1b[" in said) == terminal


def test_memory_is_that_of_the_whole_tree():
    code = "import sys; x = bytearray(b'x') * 200_000_000; print(flush=True); sys.stdin.read()"
    with (
        MemoryWatch() as watch,
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child,
    ):
        child.stdout.readline()
        wait_for(lambda: watch.peak > 200_000_000, 10)
        child.stdin.close()
    assert watch.peak < 2**34
