"""A driver that is killed at any moment: the same command goes on, and nothing of the dead one is left."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.backends.corpus import outputs, wait_for, write_corpus
from tests.chaos.crowd import clean, is_gone, sessions_of, workers_of
from tests.chaos.stages import Sieve, Sieve2

pytestmark = pytest.mark.timeout(120)


def committed(output: Path) -> list[str]:
    log = output / "_gpucurate" / "commit.log"
    return [json.loads(line[9:])["unit"] for line in log.read_bytes().splitlines()] if log.exists() else []


def test_a_driver_killed_three_times_loses_and_doubles_nothing(tmp_path, start, rng):
    corpus, output = write_corpus(tmp_path / "in", files=24), tmp_path / "out"
    wanted, calm = clean(corpus, tmp_path / "clean", Sieve(3), Sieve2(5))
    done: list[str] = []
    for _ in range(3):
        process = start(corpus, output, 0.15, fuse=False)
        goal = len(done) + rng.randrange(1, 6)
        wait_for(lambda goal=goal: len(committed(output)) >= goal)
        time.sleep(rng.random() * 0.3)
        workers = workers_of(process.pid)
        stopped = rng.choice(workers)
        stopped.suspend()  # one that cannot see its driver go
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda workers=workers: all(is_gone(worker) for worker in workers), 10)
        assert sessions_of(process.pid), "nobody was there to remove it"
        now = committed(output)
        assert now[: len(done)] == done
        done = now
    dead = sessions_of(process.pid)
    process = start(corpus, output, 0.0, fuse=False)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert outputs(output) == wanted
    assert len(committed(output)) == len(set(committed(output))) == 24
    assert committed(output)[: len(done)] == done
    assert said.startswith(f"{calm.report.books.to_dict()} 0 ")
    assert not any(path.exists() for path in dead), "the next run removes it"
    assert not sessions_of(process.pid)
    assert not (output / "_gpucurate" / "attempts").exists()
    assert not any(is_ours(each, output) for each in psutil.process_iter(["cmdline"]))


def is_ours(process: psutil.Process, output: Path) -> bool:
    return str(output) in (process.info["cmdline"] or [])
