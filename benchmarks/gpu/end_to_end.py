"""``dedup fuzzy`` from files to files, in memory: on the GPU, on the CPU, and a baseline of stock cuDF calls.

Rates are bytes of the plain JSON lines a second of the whole command, start of Python included, whatever
the format; one run each. Ours runs once on one file before, so that kernels are compiled.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.gpu.busy import Busy
from benchmarks.gpu.commands import finish
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.readers import lines_of
from benchmarks.gpu.rows import Report
from benchmarks.gpu.text import parts

GOAL, RATIO = 5, 3
"""GB/s on the GPU, and times the CPU path on the same cores."""

DEVICES = {"cuda": ("--device", "cuda"), "cpu": ()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of a command came to.

    Attributes:
        rate: GB/s.
        kept: documents.
        note: its phases, and where its time went.
        busy: share of the time in which the GPU computed, or None.
        up: bytes to the device; ``down``, bytes back.
    """

    rate: float
    kept: int
    note: str
    busy: float | None = None
    up: int = 0
    down: int = 0


def run_jsonl(plan: Plan, report: Report) -> None:
    """From JSON lines to JSON lines."""
    EndToEnd(plan, report, "jsonl").run()


def run_parquet(plan: Plan, report: Report) -> None:
    """From Parquet with zstd to the same."""
    EndToEnd(plan, report, "parquet").run()


class EndToEnd:
    """All runs over one format."""

    def __init__(self, plan: Plan, report: Report, format: str) -> None:
        self.plan, self.report, self.format = plan, report, format
        self.files = parts(plan.corpus, format)
        self.size = lines_of(plan, self.files)
        self.output = plan.folder / f"output-{format}"
        self.done: dict[str, Outcome] = {}

    def run(self) -> None:
        """Ours on GPU and CPU, then with NeMo Curator's parameters beside the baseline."""
        for device in DEVICES:
            name = f"{self.format}: {device}, first run, on one file"
            self.report.attempt(name, partial(self._warm_up, device))
        self._attempt("cuda", lambda: self._ours("cuda"), goal=GOAL)
        self._attempt("cpu", lambda: self._ours("cpu"))
        self._ratio("cuda", "cpu", goal=RATIO)
        self._attempt("cuda, --preset nemo", lambda: self._ours("cuda", "--preset", "nemo"))
        name = "baseline: NeMo Curator's stage order, stock cuDF"
        if find_spec("cudf") is None:
            self.report.row(f"{self.format}: {name}", skipped="cudf is not installed")
            return
        self._attempt(name, self._baseline)
        self._ratio("cuda, --preset nemo", name)

    def _warm_up(self, device: str) -> None:
        finish(self._command(device, self.files[:1]), self.plan.command_seconds)

    def _attempt(self, name: str, measure: Any, goal: float | None = None) -> None:
        def measured() -> None:
            self.done[name] = found = measure()
            kept = f"{found.kept:,} kept"
            label = f"{self.format}: {name}"
            self.report.row(label, found.rate, goal=goal, note="; ".join(filter(None, (kept, found.note))))
            if found.busy is not None:
                self.report.row(f"{label}: the GPU computes", 100 * found.busy, unit="% of the time")
            if found.up or found.down:
                moved = f"{found.down / 1e9:.2f} GB down"
                self.report.row(f"{label}: moved up", found.up / 1e9, unit="GB", note=moved)

        self.report.attempt(f"{self.format}: {name}", measured)
        shutil.rmtree(self.output, ignore_errors=True)

    def _ratio(self, one: str, other: str, goal: float | None = None) -> None:
        if one in self.done and other in self.done:
            times, same = (self.done[one], self.done[other]), self.done[one].kept == self.done[other].kept
            note = "both keep as many" if same else f"they keep {times[0].kept:,} and {times[1].kept:,}"
            ratio = times[0].rate / times[1].rate
            self.report.row(f"{self.format}: {one} against {other}", ratio, unit="x", goal=goal, note=note)

    def _command(self, device: str, files: list[Path], *options: str) -> list[str]:
        shutil.rmtree(self.output, ignore_errors=True)
        # The CPU path reads and writes on as many processes; on a GPU the output is written by them, too.
        workers = ("--workers", str(self.plan.workers))
        command = [sys.executable, "-m", "gpucurate", "dedup", "fuzzy", *map(str, files)]
        return [*command, "-o", str(self.output), "--quiet", *workers, *DEVICES[device], *options]

    def _ours(self, device: str, *options: str) -> Outcome:
        with Busy() as busy:
            done = finish(self._command(device, self.files, *options), self.plan.command_seconds)
        report = json.loads((self.output / "_gpucurate" / "report.json").read_bytes())
        phases = ", ".join(f"{phase['name']} {phase['seconds']:.2f} s" for phase in report["phases"])
        inside = f"the run itself {report['seconds']:.2f} of {done.seconds:.2f} s"
        stages = [stage for phase in report["phases"] for stage in phase["stages"]]
        uses_gpu = device == "cuda"
        unsampled = f"not sampled ({busy.why_not})" if uses_gpu and busy.share is None else ""
        return Outcome(
            self.size / done.seconds / 1e9,
            int(report["books"]["kept"]),
            "; ".join(filter(None, (inside, phases, unsampled))),
            busy.share if uses_gpu else None,
            sum(stage["host_to_device_bytes"] for stage in stages),
            sum(stage["device_to_host_bytes"] for stage in stages),
        )

    def _baseline(self) -> Outcome:
        shutil.rmtree(self.output, ignore_errors=True)
        command = [sys.executable, "-m", "benchmarks.gpu.curator_baseline", str(self.output), self.format]
        with Busy() as busy:
            done = finish([*command, *map(str, self.files)], self.plan.command_seconds)
        found = json.loads(next(line for line in done.output.splitlines() if line.startswith('{"kept"')))
        stages = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found["stages"].items())
        inside = f"its stages {sum(found['stages'].values()):.2f} of {done.seconds:.2f} s"
        unsampled = f"not sampled ({busy.why_not})" if busy.share is None else ""
        note = "; ".join(filter(None, (inside, stages, unsampled)))
        return Outcome(self.size / done.seconds / 1e9, found["kept"], note, busy.share)
