"""Kills at any time: of the driver, of a worker, of all processes of a run at once."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from typing import Literal

import psutil

from tests.chaos.crowd import is_gone, workers_of
from tests.chaos.killing import Bench, WrongError

Whom = Literal["driver", "worker", "group"]
WHOM: tuple[Whom, ...] = ("driver", "worker", "group")


def kill_at_random(bench: Bench, scenario: str, rng: random.Random, workers: int = 2, kills: int = 3) -> None:
    """Run, killing somebody so often at uniform times of a run in peace, then let it go on, and compare.

    Raises:
        WrongError: a run fails, or leaves something else.
    """
    seconds = bench.seconds(scenario, workers)
    output, told = bench.fresh(scenario, workers), list[str]()
    while len(told) < kills:
        began, pid = time.monotonic(), bench.start(scenario, output, workers)
        while len(told) < kills and _wait(pid, rng.uniform(0, seconds)):
            whom = rng.choice(WHOM)
            if _kill(pid, whom, rng):
                told.append(whom)
            if whom != "worker":
                break
        ended = bench.zygote.wait(pid)
        if not ended.was_killed:  # it came to its end before, or only workers were killed
            try:
                bench.ends_well(scenario, ended)
                bench.compare(scenario, output, workers)
            except WrongError as error:
                raise WrongError(f"{scenario}, killed: {told}: {error}") from error
            seconds = min(seconds, time.monotonic() - began)  # the machine may do less besides by now
            bench.remove(scenario, output)
            output = bench.fresh(scenario, workers)
    bench.kills.update(f"any time: {whom}" for whom in told)
    try:
        bench.finish(scenario, output, workers)
    except WrongError as error:
        raise WrongError(f"{scenario}, killed: {told}: {error}") from error


def _wait(pid: int, seconds: float) -> bool:
    """Whether the run still goes on after so long."""
    time.sleep(seconds)
    return not is_gone(psutil.Process(pid))


def _kill(pid: int, whom: Whom, rng: random.Random) -> bool:
    """Whether there was somebody to be killed."""
    if whom == "driver":
        os.kill(pid, signal.SIGKILL)
        return True
    with suppress(psutil.Error):  # ended just now
        if whom == "group":
            everybody = psutil.Process(pid).children(recursive=True)
            for number in [pid, *(process.pid for process in everybody)]:
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            return True
        workers = workers_of(pid)
        if workers:
            os.kill(rng.choice(workers).pid, signal.SIGKILL)
            return True
    return False
