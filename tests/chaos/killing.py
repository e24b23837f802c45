"""Kills runs at named places, lets them go on, and says what is other than after a run in peace."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpucurate.disk import crash
from tests.chaos import corpus24
from tests.chaos.bucket import Outputs
from tests.chaos.left import differences, left
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.zygote import Ended, Zygote

CORPORA = {
    "jsonl": corpus24.write_jsonl,
    "large": corpus24.write_large,
    "parquet": corpus24.write_parquet,
    "tiny": corpus24.write_tiny,
}


class WrongError(AssertionError):
    """A run did not end as it should, or left something else."""


@dataclass
class Bench:
    """Corpora, outputs, and what forks runs.

    Attributes:
        zygote: starts the runs.
        folder: for all that is written.
        kills: so far, by point.
        store: where scenarios write that write to S3.
    """

    zygote: Zygote
    folder: Path
    kills: Counter[str] = field(default_factory=Counter)
    store: Outputs | None = None
    _wanted: dict[tuple[str, int], tuple[Path, dict[str, Any]]] = field(default_factory=dict)
    _points: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    _seconds: dict[tuple[str, int], float] = field(default_factory=dict)
    _made: int = 0

    def corpus(self, scenario: str) -> Path:
        """Where the scenario reads; written when first asked for."""
        name = SCENARIOS[scenario].corpus
        path = self.folder / "corpora" / name
        if not path.exists():
            CORPORA[name](path)
        return path

    def wanted(self, scenario: str, workers: int = 0) -> dict[str, Any]:
        """What a run in peace leaves."""
        return self._clean(scenario, workers)[1]

    def seconds(self, scenario: str, workers: int = 0) -> float:
        """What a run in peace takes."""
        self._clean(scenario, workers)
        return self._seconds[scenario, workers]

    def fresh(self, scenario: str, workers: int = 0) -> Path:
        """An output as the scenario finds it."""
        self._made += 1
        output, after = self.folder / f"out-{self._made}", SCENARIOS[scenario].after
        if after is not None:
            before = SCENARIOS[scenario].follows or scenario
            shutil.copytree(self._clean(before, workers)[0], output)
            if after:
                (output / after).unlink()
        return output

    def points(self, scenario: str, workers: int = 0) -> set[str]:
        """Points that a run comes to."""
        if (scenario, workers) not in self._points:
            self._points[scenario, workers] = set(self.reached(scenario, workers))
        return self._points[scenario, workers]

    def reached(self, scenario: str, workers: int = 0) -> list[str]:
        """Points that a run comes to, in order."""
        output, counter = self.fresh(scenario, workers), self.folder / "reached"
        counter.unlink(missing_ok=True)
        self.ends_well(scenario, self._run(scenario, output, workers, f"{crash.EVERY}:0:{counter}"))
        self.remove(scenario, output)
        return counter.read_text().split()

    def kill(self, scenario: str, output: Path, point: str, number: int = 1, workers: int = 0) -> bool:
        """Run until the ``number``-th process is at the point, which is killed; whether one came there.

        Raises:
            WrongError: the run ended otherwise.
        """
        counter = self.folder / "counter"
        counter.unlink(missing_ok=True)
        ended = self._run(scenario, output, workers, f"{point}:{number}:{counter}")
        came = counter.exists() and len(counter.read_bytes().splitlines()) >= number
        if not (came and ended.was_killed):  # else it was a worker, and the run goes on
            self.ends_well(scenario, ended)
        self.kills[point] += came
        return came

    def finish(self, scenario: str, output: Path, workers: int = 0) -> None:
        """Let the run go on to its end, compare, and remove what it left.

        Raises:
            WrongError: it fails, or leaves something else.
        """
        self.ends_well(scenario, self._run(scenario, output, workers))
        self.compare(scenario, output, workers)
        self.remove(scenario, output)

    def compare(self, scenario: str, output: Path, workers: int = 0) -> None:
        """Compare an output with that of a run in peace.

        Raises:
            WrongError: something is other.
        """
        found = differences(self._left(scenario, output), self.wanted(scenario, workers))
        if found:
            raise WrongError("; ".join(found[:8]) + f" (in {output})")

    def _clean(self, scenario: str, workers: int) -> tuple[Path, dict[str, Any]]:
        if (scenario, workers) not in self._wanted:
            self._made += 1
            output = self.folder / f"clean-{self._made}"
            if SCENARIOS[scenario].follows:
                self.fresh(scenario, workers).rename(output)
            began = time.monotonic()
            self.ends_well(scenario, self._run(scenario, output, workers))
            self._seconds[scenario, workers] = time.monotonic() - began
            self._wanted[scenario, workers] = output, self._left(scenario, output)
        return self._wanted[scenario, workers]

    def _run(self, scenario: str, output: Path, workers: int, setting: str | None = None) -> Ended:
        return self.zygote.wait(self.start(scenario, output, workers, setting))

    def start(self, scenario: str, output: Path, workers: int = 0, setting: str | None = None) -> int:
        """Begin a run; its process id."""
        environment = {} if setting is None else {crash.VARIABLE: setting}
        target, more = self.target(scenario, output)
        return self.zygote.start(scenario, self.corpus(scenario), target, workers, **environment, **more)

    def target(self, scenario: str, output: Path) -> tuple[str, dict[str, str]]:
        """What a run is told to write to, and what belongs to that in its environment."""
        if not SCENARIOS[scenario].in_store:
            return str(output), {}
        return self._outputs.url(output), self._outputs.environment()

    def remove(self, scenario: str, output: Path) -> None:
        """Remove an output."""
        if SCENARIOS[scenario].in_store:
            self._outputs.remove(output)
        else:
            shutil.rmtree(output)
            shutil.rmtree(f"{output}-checkpoint", ignore_errors=True)

    def _left(self, scenario: str, output: Path) -> dict[str, Any]:
        return self._outputs.left(output) if SCENARIOS[scenario].in_store else left(output)

    @property
    def _outputs(self) -> Outputs:
        if self.store is None:
            name = f"chaos-{os.getpid()}-{id(self)}"  # two benches may have a run of the same name
            self.store = Outputs(name, self.folder / "caches")
        return self.store

    @staticmethod
    def ends_well(scenario: str, ended: Ended) -> None:
        """Whether a run ended as it should.

        Raises:
            WrongError: it did not.
        """
        if ended.code != SCENARIOS[scenario].exit_code:
            raise WrongError(f"{scenario} ended with {ended.code}: {ended.said}")


def kill_one_after_the_other(bench: Bench, scenario: str, points: list[str], workers: int = 0) -> None:
    """Kill a run at the first point, what goes on with it at the second, and so on.

    Where one ends before it comes to its point, it is compared, and the next begins anew.

    Raises:
        WrongError: a run fails, leaves something else, or never comes to a point.
    """
    output, killed = bench.fresh(scenario, workers), list[str]()
    for point in points:
        if not bench.kill(scenario, output, point, workers=workers):
            _compare(bench, scenario, output, workers, killed)
            output, killed = bench.fresh(scenario, workers), []
            if not bench.kill(scenario, output, point, workers=workers):
                raise WrongError(f"{scenario} does not come to {point}")
        killed.append(point)
    try:
        bench.finish(scenario, output, workers)
    except WrongError as error:
        raise WrongError(f"{scenario}, killed at {killed}: {error}") from error


def _compare(bench: Bench, scenario: str, output: Path, workers: int, killed: list[str]) -> None:
    try:
        bench.compare(scenario, output, workers)
    except WrongError as error:
        raise WrongError(f"{scenario}, killed at {killed}: {error}") from error
    bench.remove(scenario, output)
