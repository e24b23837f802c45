"""Contestants, their runs and the tables of what came of them."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.peers.environments import Environment
from benchmarks.peers.processes import ROOT

LIMIT_SECONDS = 150.0
"""A run that takes longer is taken for one that hangs."""

Figures = dict[str, float]
_TOKEN = "GPUCURATE_BENCHMARK_RUN"


@dataclass(slots=True)
class Contestant:
    """A way to run something, and what its runs printed.

    Attributes:
        title: what the tables call it.
        module: run by ``arguments``; its last line is JSON.
        python: interpreter of its environment; None where it does not install.
        runs: figures of those that ended well.
        failures: why the others did not.
    """

    title: str
    module: str
    arguments: Sequence[object]
    python: Path | str | None = sys.executable
    runs: list[Figures] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def remark(self) -> str:
        """What did not end well."""
        return f"failed {len(self.failures)} times: {self.failures[-1]}" if self.failures else ""

    def median(self, name: str) -> float:
        """Of a figure over the runs."""
        return statistics.median(run[name] for run in self.runs)

    @property
    def rate(self) -> float:
        """Tasks a second, from the call to the last result: the cluster is up, its actors are not."""
        return statistics.median(run["tasks"] / run["seconds"] for run in self.runs)

    @property
    def steady_rate(self) -> float:
        """Tasks a second after the first."""
        return statistics.median((run["tasks"] - 1) / (run["seconds"] - run["first"]) for run in self.runs)

    @property
    def command(self) -> list[str]:
        """What is run."""
        return [str(self.python), "-m", self.module, *map(str, self.arguments)]

    def run(self) -> None:
        """Once more; not where it could not be installed."""
        if not self.python:
            return
        token = uuid.uuid4().hex
        environment = {**os.environ, "PYTHONPATH": str(ROOT), _TOKEN: token}
        try:
            self._run(self.command, environment)
        finally:
            _end_what_is_left(token)

    def _run(self, command: Sequence[str], environment: dict[str, str]) -> None:
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, env=environment, timeout=LIMIT_SECONDS
            )
        except subprocess.TimeoutExpired:
            self.failures.append(f"did not end in {LIMIT_SECONDS:.0f} s")
            return
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
            self.failures.append(said[-1])
        else:
            self.runs.append(json.loads(done.stdout.strip().splitlines()[-1]))

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {"title": self.title, "runs": self.runs, "failures": self.failures}


def peer(title: str, environment: Environment, module: str, arguments: Sequence[object]) -> Contestant:
    """A contestant in an environment of its own; one that could not be made says why."""
    named = f"{environment.title}, {title}"
    if environment.python is None:
        return Contestant(
            named, module, arguments, None, failures=[f"does not install: {environment.reason}"]
        )
    return Contestant(named, module, arguments, environment.python)


def race(contestants: Sequence[Contestant], runs: int, say: Callable[[str], None]) -> None:
    """Run all in turns, so that what else the machine does hits all."""
    for number in range(runs):
        for contestant in contestants:
            say(f"{contestant.title}, run {number + 1} of {runs}")
            contestant.run()


def _end_what_is_left(token: str) -> None:
    """Kill what a run has started and left behind, as cosmos-xenna leaves actors; all carry its token."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(_TOKEN) == token:
                process.kill()
                left.append(process)
    psutil.wait_procs(left, timeout=10)
