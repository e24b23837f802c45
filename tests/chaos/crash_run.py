"""``make chaos``: every named place, every occurrence; kills at any time; calls that fail; lost power.

    python -m tests.chaos.crash_run [--only points,random,calls,power] [--scenario NAME] [--full]

Prints a table, and ends non-zero if anything was lost, doubled or other than after a run in peace.

The n-th time that any process of a run comes to a point it is killed, for n = 1, 2, ... until a run is not
killed. Points that a unit or a file comes to are reached some hundreds of times: without ``--full`` n is
doubled from one run to the next (JSONL on a local disk) or four times as large (all else).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from gpucurate.disk.crash_points import IN_STORE, POINTS
from tests.chaos.failing import CODES, Disk
from tests.chaos.killing import Bench, WrongError
from tests.chaos.random_kills import kill_at_random
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.zygote import Zygote
from tests.diskfaults.library import build

MAIN = ("exact", "fuzzy", "fuzzy, verified", "pipeline")
OTHERS = ("exact, parquet", "fuzzy, parquet", "fuzzy, verified, parquet", "pipeline, parquet")
SPECIAL = (
    "exact, spilled", "exact, again", "exact, nothing left", "exact, fresh", "exact, changed",
    "exact, elsewhere", "fuzzy, saved", "pipeline, checkpoint", "pipeline, large", "pipeline, poisoned",
    "pipeline, poisoned again",
)  # fmt: skip
WITH_WORKERS = ("exact", "pipeline", "pipeline, segments")
OF_WORKERS = ("commit.", "driver.", "file.", "publish.", "record.", "unit.", "worker.")
STORES = ("exact, S3", "pipeline, S3")
RANDOM_SCENARIOS = ("exact", "fuzzy", "fuzzy, parquet", "pipeline", "pipeline, segments")
RANDOM_RUNS = 200
POWER = {("exact", 0): 120, ("fuzzy, verified", 0): 30, ("pipeline", 2): 60}
"""Runs that lose power."""
CALLS = {("pipeline", 0): 1, ("exact", 0): 3, ("fuzzy, verified", 0): 97, ("pipeline", 2): 17}
"""Of so many calls one fails."""

Work = Callable[[Bench], None]


@dataclass
class Findings:
    """What came of all, over all threads.

    Attributes:
        kills: by point, or by what else was done.
        wrong: what went wrong, by the same.
    """

    kills: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def table(self) -> Iterator[str]:
        """Lines for people."""
        yield f"{'':34}{'kills':>8}{'lost':>8}{'doubled':>8}{'other':>8}"
        for what in sorted({*self.kills, *self.wrong}, key=[*POINTS, *self.kills, *self.wrong].index):
            words = " ".join(self.wrong.get(what, []))
            lost, doubled = words.count("is not there"), words.count("should not be there")
            other = len(self.wrong.get(what, [])) if not lost + doubled else 0
            yield f"{what:34}{self.kills[what]:8}{lost:8}{doubled:8}{other:8}"


def main() -> int:
    """Run what was asked for; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="points,random,calls,power")
    parser.add_argument("--scenario", action="append", help="kill these alone; may be given several times")
    parser.add_argument("--full", action="store_true", help="every occurrence, which takes hours")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, default=60.0, help="begin nothing new after that")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    began, findings = time.monotonic(), Findings()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        works = _works(given.only.split(","), given.full, given.seed, given.scenario, findings)
        skipped = _carry_out(works, given.jobs, Path(folder), began + 60 * given.minutes)
    print(*findings.table(), sep="\n")
    wrong = sum(map(len, findings.wrong.values()))
    kills = sum(findings.kills[point] for point in POINTS)
    print(f"{kills} kills at {len(set(findings.kills) & set(POINTS))} of {len(POINTS)} points, ", end="")
    print(
        f"{sum(findings.kills.values()) - kills} other faults, {wrong} wrong, {skipped} not begun, ", end=""
    )
    print(f"{time.monotonic() - began:.0f} s")
    for what, messages in findings.wrong.items():
        print(*(f"{what}: {message}" for message in messages), sep="\n")
    return 1 if wrong or skipped else 0


def _carry_out(works: list[Work], jobs: int, folder: Path, deadline: float) -> int:
    """Run the works, each thread with a process of its own that forks; how many there was no time for."""
    own, skipped = threading.local(), Counter[str]()
    library, numbers, zygotes = build(folder), count(), list[Zygote]()

    def work(each: Work) -> None:
        if time.monotonic() > deadline:
            skipped["late"] += 1
            return
        if not hasattr(own, "bench"):
            zygotes.append(Zygote({"LD_PRELOAD": str(library)}))
            own.bench = Bench(zygotes[-1], folder / str(next(numbers)))
            own.bench.folder.mkdir()
        each(own.bench)

    with ThreadPoolExecutor(jobs) as pool:
        for done, _ in enumerate(pool.map(work, works), 1):
            if done % 50 == 0:
                print(f"{done} of {len(works)} done", flush=True)
    for zygote in zygotes:
        zygote.__exit__()
    return skipped["late"]


def _works(
    kinds: list[str], full: bool, seed: int, scenarios: list[str] | None, findings: Findings
) -> list[Work]:
    works: list[Work] = []
    if "points" in kinds:
        works += _points(1 if full else 2, 1 if full else 4, scenarios or list(SCENARIOS), findings)
    if "random" in kinds:
        for number in range(RANDOM_RUNS):
            scenario = RANDOM_SCENARIOS[number % len(RANDOM_SCENARIOS)]
            works.append(_noted(findings, "any time", _random(scenario, seed + number)))
    if "calls" in kinds:
        for (scenario, workers), every in CALLS.items():
            works += [_fails(scenario, workers, 1 if full else every, part, findings) for part in range(8)]
    if "power" in kinds:
        for (scenario, workers), runs in POWER.items():
            works += [_power(scenario, workers, runs // 6, seed + part, findings) for part in range(6)]
    return works


def _points(main: int, others: int, wanted: list[str], findings: Findings) -> list[Work]:
    """One for each scenario and point."""
    local = [point for point in POINTS if point not in IN_STORE]
    plan: list[tuple[str, int, list[str], int]] = []
    plan += [(scenario, 0, local, main) for scenario in MAIN]
    plan += [(scenario, 0, local, others) for scenario in OTHERS]
    plan += [(scenario, 0, local, others) for scenario in SPECIAL]
    of_workers = [point for point in local if point.startswith(OF_WORKERS)]
    plan += [(scenario, 2, of_workers, others) for scenario in WITH_WORKERS]
    plan += [(scenario, 0, list(IN_STORE), others) for scenario in STORES]
    return [
        _noted(findings, point, _every(scenario, point, workers, factor))
        for scenario, workers, points, factor in plan
        if scenario in wanted
        for point in points
    ]


def _every(scenario: str, point: str, workers: int, factor: int) -> Work:
    """Kill at the n-th time, until a run comes to its end; with a factor of 1 every n."""

    def work(bench: Bench) -> None:
        if point not in bench.points(scenario, workers):
            return
        number = 1
        while True:
            output = bench.fresh(scenario, workers)
            if not bench.kill(scenario, output, point, number, workers):
                bench.compare(scenario, output, workers)
                bench.remove(scenario, output)
                return
            bench.finish(scenario, output, workers)
            number = number + 1 if factor == 1 else number * factor

    return work


def _random(scenario: str, seed: int) -> Work:
    return lambda bench: kill_at_random(bench, scenario, random.Random(seed))


def _fails(scenario: str, workers: int, every: int, part: int, findings: Findings) -> Work:
    """Of the calls of a run an eighth of those that are to fail."""

    def work(bench: Bench) -> None:
        disk = Disk(bench, scenario, workers)
        calls = range(1 + part * every, disk.count() + 1, 8 * every)
        for turn, at in enumerate(calls):
            one = _noted(findings, "a call fails", lambda _, at=at, turn=turn: disk.fail(at, CODES[turn % 4]))
            one(bench)
            findings.kills["a call fails"] += 1

    return work


def _power(scenario: str, workers: int, runs: int, seed: int, findings: Findings) -> Work:
    def work(bench: Bench) -> None:
        disk, rng = Disk(bench, scenario, workers), random.Random(seed)
        calls = disk.count()
        for _ in range(runs):
            at, other = rng.randrange(1, calls + 1), rng.randrange(10**6)
            _noted(findings, "power is lost", lambda _, at=at, other=other: told(disk, at, other))(bench)

    def told(disk: Disk, at: int, other: int) -> None:
        goes_on = disk.lose_power(at, other)
        findings.kills["power is lost: goes on" if goes_on else "power is lost: refused"] += 1

    return work


def _noted(findings: Findings, what: str, work: Callable[[Bench], object]) -> Work:
    """Enter what comes of it."""

    def noted(bench: Bench) -> None:
        before = Counter(bench.kills)
        try:
            work(bench)
        except WrongError as error:
            findings.wrong[what].append(str(error))
            print(f"WRONG {what}: {error}", flush=True)
        findings.kills.update(bench.kills - before)
        for path in bench.folder.glob("out-*"):
            shutil.rmtree(path)

    return noted


if __name__ == "__main__":
    sys.exit(main())
