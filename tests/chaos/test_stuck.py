"""A worker that does not go on: its stacks are kept, it is killed, and its unit is done again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gpucurate import LocalExecutor
from gpucurate.stages.base import ProcessingStage
from tests.backends.corpus import outputs, write_corpus
from tests.chaos.crowd import clean, pipeline
from tests.chaos.stages import Sieve

pytestmark = pytest.mark.timeout(60)

STALL = 8.0
"""Long enough for workers to be set up on a machine that has much else to do."""


class StuckOnce(ProcessingStage):
    """Does not come back from the first batch of a file: of each in another way, once."""

    def __init__(self, marks: Path, ways: list[str]) -> None:
        self.marks, self.ways = marks, ways

    def inputs(self):
        return ["data"], ["id"]

    def process(self, batch):
        file = batch.to_pyarrow()["id"][0].as_py() // 20
        mark = self.marks / f"mark-{file}"
        if file < len(self.ways) and not mark.exists():
            mark.write_text(str(os.getpid()))
            getattr(self, self.ways[file])()
        return batch

    def sleeps(self):
        time.sleep(1000)

    def reads(self):
        os.read(os.pipe()[0], 1)

    def holds_the_lock(self):
        re.match(r"(a+)+$", "a" * 64 + "b")  # in C, with the lock of Python held

    def waits_for_a_program(self):
        subprocess.run([sys.executable, "-c", "import time; time.sleep(1000)"], check=False)

    def waits_for_a_fork(self):
        child = os.fork()
        if not child:
            self.in_the_fork()
        os.waitpid(child, 0)

    def in_the_fork(self):
        time.sleep(1000)

    def is_stopped(self):
        os.kill(os.getpid(), signal.SIGSTOP)


WAYS = {
    "sleeps": "in sleeps",
    "reads": "in reads",
    "holds_the_lock": "in holds_the_lock",
    "waits_for_a_program": "in waits_for_a_program",
    "waits_for_a_fork": "in in_the_fork",
    "is_stopped": "gave no answer within 1 s: it is stopped",
}


@pytest.mark.parametrize("ways", [list(WAYS)[:3], list(WAYS)[3:]], ids=" ".join)
def test_a_worker_that_is_stuck_tells_where_is_killed_and_its_unit_is_done_again(tmp_path, ways, ear):
    corpus = write_corpus(tmp_path / "in", files=5)
    wanted, _ = clean(corpus, tmp_path / "clean", Sieve(3))
    result = pipeline(corpus, tmp_path / "out", StuckOnce(tmp_path, ways), Sieve(3)).run(
        LocalExecutor(workers=3, config={"stall_timeout_s": STALL}), observer=ear
    )
    assert outputs(tmp_path / "out") == wanted
    told = " ".join(each.why for each in result.report.phases[0].decisions if each.what == "retry")
    files = {file.name: file.read_text() for file in (tmp_path / "out/_gpucurate/stalls").iterdir()}
    for way, mark in zip(ways, sorted(tmp_path.glob("mark-*")), strict=True):
        assert not psutil.pid_exists(int(mark.read_text()))
        (name,) = [name for name, text in files.items() if WAYS[way] in text]
        assert f"_gpucurate/stalls/{name}" in told
        assert ear.heard(f"_gpucurate/stalls/{name}")
        if way in ("sleeps", "reads"):
            assert ear.heard(f"{WAYS[way]}, and its stacks are in _gpucurate/stalls/{name}")
        if way == "waits_for_a_program":
            assert re.search(r"python\S*: sleeping, \d+\.\d s of CPU", files[name])


class HangsInSetup(ProcessingStage):
    """Its first setup hangs."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def setup(self, worker_metadata=None):
        if not self.mark.exists():
            self.mark.touch()
            time.sleep(1000)

    def process(self, batch):
        return batch


def test_where_a_setup_hangs_is_told_too(tmp_path):
    corpus = write_corpus(tmp_path / "in", files=2)
    result = pipeline(corpus, tmp_path / "out", HangsInSetup(tmp_path / "mark")).run(
        LocalExecutor(workers=1, config={"stall_timeout_s": STALL})
    )
    assert result.report.books.kept == 40
    (file,) = (tmp_path / "out" / "_gpucurate" / "stalls").iterdir()
    assert "in setup" in file.read_text()
    assert "it was not set up within 8 s" in file.read_text()
