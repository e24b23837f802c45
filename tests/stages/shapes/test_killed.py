"""kill -9 of the driver or of a worker, and the same command again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.backends.corpus import outputs, wait_for
from tests.stages.shapes.rows import ids, write_rows

SCRIPT = """
import operator, sys, time
from gpucurate import InlineExecutor, LocalExecutor, Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.shapes import Branch, Parallel, ReduceStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

class Slow(ProcessingStage):
    not_in_plan = ("seconds",)

    def __init__(self, seconds):
        self.seconds = seconds

    def process(self, batch):
        time.sleep(self.seconds)
        return batch

class Even(ProcessingStage):
    def process(self, batch):
        self.count("seen", batch.num_items)
        return batch.select(batch.to_pandas()["id"] % 2 == 0)

def numbers(batch):
    return batch.to_pyarrow()["id"].to_pylist()

corpus, output, kind, seconds = sys.argv[1:5]
stages = [
    JsonlReader(corpus, fields=["id"], files_per_partition=1),
    ReduceStage(list, operator.add, lambda batch: numbers(batch)[:1], name="first ones"),
    Branch(lambda batch: batch.to_pandas()["id"] % 3 == 0, to="thirds", columns=["id"]),
    Parallel([Even(), Slow(float(seconds))]),
    ReduceStage(0, operator.add, lambda batch: batch.num_items, name="kept"),
    JsonlWriter(output),
]
executor = InlineExecutor() if kind == "inline" else LocalExecutor(workers=2)
report = Pipeline("script", stages=stages).run(executor).report
print(report.phases[0].resumed_units)
"""

FILES, ROWS = 10, 12


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script")
    (folder / "script.py").write_text(SCRIPT)
    write_rows(folder / "in", "jsonl", files=FILES, rows=ROWS)
    return folder


@pytest.fixture(scope="module")
def clean(place):
    """What a run without trouble writes and says."""
    assert end(start(place, place / "clean", "inline", 0)) == "0"
    return outputs(place / "clean"), report(place / "clean")


def start(place: Path, output: Path, kind: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(place / "script.py"), str(place / "in"), str(output), kind, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said.strip()


def report(output: Path) -> tuple[dict, dict, dict]:
    values = json.loads((output / "_gpucurate" / "report.json").read_text())
    return values["reduced"], values["books"], values["counts"]


def committed(output: Path) -> int:
    log = output / "_gpucurate" / "commit.log"
    return len(log.read_bytes().splitlines()) if log.exists() else 0


def test_without_trouble_every_document_is_in_one_place(place, clean):
    aside, kept = ids(place / "clean" / "thirds"), ids(place / "clean")
    assert aside == list(range(0, FILES * ROWS, 3))
    assert kept == [n for n in range(FILES * ROWS) if n % 3 and n % 2 == 0]
    reduced, books, counts = clean[1]
    assert reduced == {"first ones": list(range(0, FILES * ROWS, ROWS)), "kept": 40}
    assert books["dropped"] == {"branch: thirds": 40, "Even": 40}
    assert counts == {"seen": 80, "written to thirds": 40}


@pytest.mark.parametrize("kind", ["inline", "local"])
def test_a_driver_that_is_killed_goes_on_to_the_same_bytes_and_figures(place, clean, tmp_path, kind):
    output = tmp_path / "out"
    process = start(place, output, kind, 0.2)
    wait_for(lambda: committed(output) >= 3)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    psutil.wait_procs(children, timeout=20)
    assert 0 < int(end(start(place, output, "local", 0))) < FILES
    assert (outputs(output), report(output)) == clean


def test_a_worker_that_is_killed_costs_a_retry_and_nothing_else(place, clean, tmp_path):
    output = tmp_path / "out"
    process = start(place, output, "local", 0.2)
    wait_for(lambda: committed(output) >= 2)
    victims = [p for p in psutil.Process(process.pid).children(recursive=True) if not p.children()]
    os.kill(victims[-1].pid, signal.SIGKILL)
    assert end(process) == "0"
    assert (outputs(output), report(output)) == clean
