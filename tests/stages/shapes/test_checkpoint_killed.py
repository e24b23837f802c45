"""kill -9 of a run with a checkpoint: what is whole there is begun from, the rest is done again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.backends.corpus import outputs, wait_for
from tests.stages.shapes.rows import write_rows

SCRIPT = """
import sys, time
from pathlib import Path
from gpucurate import Checkpoint, InlineExecutor, LocalExecutor, Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.shapes import Branch
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

class Slow(ProcessingStage):
    not_in_plan = ("seconds", "log")

    def __init__(self, seconds, log):
        self.seconds, self.log = seconds, log

    def process(self, batch):
        with open(self.log, "a") as log:
            log.write(batch.task_id + chr(10))
        time.sleep(self.seconds)
        return batch.assign({"half": batch.to_pandas()["id"] / 2})

folder, output, kind, seconds = sys.argv[1:5]
before, behind = (Slow(float(seconds), f"{folder}/{name}.log") for name in ("before", "behind"))
stages = [
    JsonlReader(f"{folder}/in", fields=["id"], files_per_partition=1),
    Branch(lambda batch: batch.to_pandas()["id"] % 3 == 0, to="thirds", columns=["id"]),
    before, Checkpoint(f"{folder}/saved"), behind,
    JsonlWriter(output),
]
executor = InlineExecutor() if kind == "inline" else LocalExecutor(workers=2)
report = Pipeline("script", stages=stages).run(executor).report
print(report.counts.get("checkpoint: units that began behind it", 0), report.books.to_dict())
"""

FILES, ROWS = 12, 12


@pytest.fixture
def place(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    write_rows(tmp_path / "in", "jsonl", files=FILES, rows=ROWS)
    return tmp_path


def start(place: Path, output: str, kind: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(place / "script.py"), str(place), str(place / output), kind, str(seconds)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Units that began behind the checkpoint, and the books."""
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    began, books = said.split(" ", 1)
    return int(began), books


def kill(process: subprocess.Popen[str]) -> None:
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    psutil.wait_procs(children, timeout=20)


def saved(place: Path) -> set[str]:
    """Units with a whole line in the log of the checkpoint."""
    log = place / "saved" / "commit.log"
    lines = log.read_bytes().splitlines(keepends=True) if log.exists() else []
    return {json.loads(line[9:])["unit"] for line in lines if line.endswith(b"\n")}


def called(place: Path, stage: str) -> list[str]:
    log = place / f"{stage}.log"
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize("kind", ["inline", "local"])
def test_what_was_saved_is_not_done_again_and_the_rest_is(place, kind):
    process = start(place, "out", kind, 0.15)
    wait_for(lambda: len(saved(place)) >= 4)
    kill(process)
    there = saved(place)
    (place / "before.log").unlink()
    began, books = end(start(place, "other", "inline", 0))
    assert began == len(there) < FILES
    assert len(called(place, "before")) == FILES - began
    again, same = end(start(place, "out", kind, 0))
    assert 0 < again <= FILES, "the same command begins there too, with units that it had not finished"
    assert books == same
    assert outputs(place / "other") == outputs(place / "out")
    assert not (place / "saved" / "attempts").exists()


def test_any_moment_will_do(place):
    rng = random.Random(7)
    for n in range(4):
        process = start(place, "out", "local", 0.05)
        wait_for(
            lambda n=n, process=process: len(saved(place)) >= min(2 * n, FILES) or process.poll() is not None
        )
        time.sleep(rng.random() * 0.2)
        if process.poll() is None:
            kill(process)
    end(start(place, "out", "inline", 0))
    (place / "saved").rename(place / "gone")
    end(start(place, "clean", "inline", 0))
    assert outputs(place / "out") == outputs(place / "clean")
    units = sorted(path.name for path in (place / "gone" / "units").iterdir())
    fresh = sorted(path.name for path in (place / "saved" / "units").iterdir())
    assert units == fresh
    assert all((place / "gone" / "units" / name).stat().st_size for name in units)
