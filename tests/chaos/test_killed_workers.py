"""Workers that are killed or stopped at any moment cost tries, and nothing else."""

from __future__ import annotations

import os
import statistics
import threading
import time

import psutil
import pyarrow as pa
import pytest

from gpucurate import LocalExecutor, Pipeline
from gpucurate.backends import session
from gpucurate.tasks import DocumentBatch
from tests.backends.corpus import wait_for, write_corpus
from tests.chaos.conftest import Ear
from tests.chaos.crowd import check_exactly_once, clean, is_gone, pipeline, workers_of
from tests.chaos.stages import HalfWritten, LeavesAChild, Sieve, Sieve2, StopsOnce

pytestmark = pytest.mark.timeout(90)


class Killer(threading.Thread):
    """Kills a random worker each 0.7 s, or less often where nothing gets done in that time."""

    def __init__(self, rng, ear) -> None:
        super().__init__()
        self._rng, self._ear, self._over = rng, ear, threading.Event()
        self.kills: list[float] = []
        self._others = workers_of(os.getpid())

    def run(self) -> None:
        done = 0
        while not self._over.wait(0.7):
            if len(self._ear.commits) == done:
                continue
            done = len(self._ear.commits)
            workers = workers_of(os.getpid(), self._others)
            if workers:
                try:
                    self._rng.choice(workers).kill()
                except psutil.NoSuchProcess:
                    continue
                self.kills.append(time.monotonic())

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.mark.parametrize("fuse", [False, True], ids=["segments", "fused"])
def test_a_worker_killed_every_0_7_s_costs_only_tries(tmp_path, rng, ear, fuse, record_property):
    corpus = write_corpus(tmp_path / "in", files=60)
    stages = Sieve(3, 0.12), Sieve2(5, 0.04)
    wanted = clean(corpus, tmp_path / "clean", Sieve(3), Sieve2(5))
    killer = Killer(rng, ear)
    killer.start()
    try:
        executor = LocalExecutor(workers=4, config={"fuse": fuse, "max_attempts": 20})
        result = pipeline(corpus, tmp_path / "out", *stages).run(executor, observer=ear)
    finally:
        killer.stop()
    check_exactly_once(tmp_path / "out", result, wanted)
    deaths = [when for when, what in ear.troubles if "killed by SIGKILL" in what]
    # One that was told to stop when it was hit is not told of as trouble.
    assert len(killer.kills) >= 3
    assert len(killer.kills) - 2 <= len(deaths) <= len(killer.kills)
    late = [min(when - kill for kill in killer.kills if kill <= when + 0.01) for when in deaths]
    print(f"{len(deaths)} deaths, heard of after {statistics.median(late) * 1000:.0f} ms (median)")
    record_property("detection_s", statistics.median(late))
    assert statistics.median(late) < 1.0


@pytest.mark.parametrize("fuse", [False, True], ids=["segments", "fused"])
def test_stopped_workers_are_given_up_and_what_they_had_is_done_once(tmp_path, ear, fuse):
    corpus = write_corpus(tmp_path / "in", files=30)
    wanted = clean(corpus, tmp_path / "clean", Sieve(3), Sieve2(5))
    stopped = []
    others = workers_of(os.getpid())

    def stop() -> None:
        wait_for(lambda: len(ear.commits) >= 3)
        for worker in workers_of(os.getpid(), others):
            worker.suspend()
            stopped.append(worker)
        # Given up after 5 s, or ten times what slow units take; a stopped process can be killed, so that
        # it has no chance to go on and tell of a unit that another has by then.
        wait_for(lambda: all(is_gone(worker) for worker in stopped), 60)

    stopper = threading.Thread(target=stop)
    stopper.start()
    executor = LocalExecutor(workers=4, config={"fuse": fuse, "stall_timeout_s": 5})
    result = pipeline(corpus, tmp_path / "out", Sieve(3, 0.1), Sieve2(5, 0.05)).run(executor, observer=ear)
    stopper.join()
    assert stopped
    check_exactly_once(tmp_path / "out", result, wanted)
    kills = [decision for decision in result.report.phases[0].decisions if decision.what == "kill"]
    assert 0 < len(kills) <= len(stopped), "those that had nothing to do are not missed"


def test_a_death_is_seen_at_once_though_a_child_of_the_worker_lives_and_it_goes_too(tmp_path, corpus, ear):
    began = time.monotonic()
    result = pipeline(corpus, tmp_path / "out", LeavesAChild(tmp_path)).run(
        LocalExecutor(workers=2), observer=ear
    )
    assert time.monotonic() - began < 30
    assert result.report.books.kept == 120
    assert ear.heard("killed by SIGKILL")
    children = [int(path.name.removeprefix("child-")) for path in tmp_path.glob("child-*")]
    assert len(children) == 7
    wait_for(
        lambda: (
            not any(psutil.pid_exists(child) and not is_gone(psutil.Process(child)) for child in children)
        ),
        5,
    )


def test_what_a_killed_worker_was_writing_goes_with_it(tmp_path, corpus, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setattr(session, "SHARED", shared)
    wanted = clean(corpus, tmp_path / "clean", Sieve(3))
    left = []

    class Looks(Ear):
        """Looks each time that nothing but what is committed, waits or is in work may be there."""

        def unit_committed(self, *_) -> None:
            left.append(len([path for path in shared.glob("*/*") if path.is_file()]))

    result = pipeline(corpus, tmp_path / "out", HalfWritten(tmp_path), Sieve(3)).run(
        LocalExecutor(workers=1, config={"fuse": False}), observer=Looks()
    )
    assert result.report.phases[0].retries == 6
    check_exactly_once(tmp_path / "out", result, wanted)
    assert left[-1] == 0


def test_a_worker_that_stops_while_large_units_are_sent_to_it_does_not_stop_the_driver(tmp_path):
    tasks = [DocumentBatch("set", pa.table({"id": [i], "text": ["x" * 300_000]})) for i in range(120)]
    result = Pipeline("chaos", stages=[StopsOnce(tmp_path / "mark")]).run(
        LocalExecutor(workers=1, config={"stall_timeout_s": 5}), tasks
    )
    assert [task.num_items for task in result] == [1] * 120
    assert result.report.phases[0].retries == 1
