"""What the GPU path costs: ceilings, kernels, readers, and end to end beside the CPU and a baseline.

    make bench-gpu ENVIRONMENT=DIR
    python -m benchmarks.gpu.bench_gpu --output gpu.json --only kernels,readers --size 8GB

Every section runs in a process of its own, within its time: one that fails, hangs, or breaks the device costs
its own rows alone. Rows are printed as they are measured, the table at the end; what failed makes the
command end with 1. Without cuDF, what needs it is listed as skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from benchmarks.gpu.commands import ROOT
from benchmarks.gpu.plan import Plan, smoke_plan
from benchmarks.gpu.rows import MARK, Report, Row, in_short, number, row_of, table
from benchmarks.gpu.sections import EXPECTED_SECONDS, NAMES, SECTIONS, Section, corpus_is_needed
from benchmarks.gpu.text import build
from gpucurate.backends.cores import usable_cores
from gpucurate.spec.bytesize import format_bytes, parse_bytes

MEMORY_FILES = Path("/dev/shm")
ROOM = 4
"""Times the corpus that the folder must hold: both formats, and an output beside what it replaces."""


class Bench:
    """A run: its rows so far, and where they go.

    Args:
        plan: of all sections.
        output: file of JSON, written anew after every section; None for none.
        seconds: that the whole run may take.
    """

    def __init__(self, plan: Plan, output: Path | None, seconds: float) -> None:
        self.plan, self.output = plan, output
        self.rows: list[Row] = []
        self._ends = time.monotonic() + seconds
        if output is not None:
            output.parent.mkdir(parents=True, exist_ok=True)

    @property
    def left(self) -> float:
        """Seconds."""
        return self._ends - time.monotonic()

    def add(self, row: Row) -> None:
        """Print a row and keep it."""
        self.rows.append(row)
        print("  ".join(filter(None, row.cells())), flush=True)

    def run(self, sections: list[Section]) -> None:
        """One after the other; each is given the ceilings measured before it."""
        for section in sections:
            began = time.monotonic()
            if why := self._why_skipped(section):
                self.add(Row(section=section.name, name="all of it", skipped=why))
            else:
                self._run(section)
            print(f"-- {section.name}: {time.monotonic() - began:.1f} s\n", flush=True)
            self.save()

    def _why_skipped(self, section: Section) -> str:
        if section.missing:
            return f"{section.missing} is not installed"
        return "" if self.left > 5 else "no time was left"

    def _run(self, section: Section) -> None:
        plan = replace(self.plan, ceilings=self._ceilings())
        command = [sys.executable, "-m", "benchmarks.gpu.bench_gpu", "--section", section.name]
        process = subprocess.Popen(
            [*command, "--plan", plan.to_json()],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        listener = threading.Thread(target=self._listen, args=(process.stdout,), daemon=True)
        listener.start()
        allowed = min(section.seconds * (1 if self.plan.seconds else 20), self.left)
        try:
            if code := process.wait(allowed):
                self._failed(section, f"its process ended with {code}")
        except subprocess.TimeoutExpired:
            self._failed(section, f"took more than {allowed:.0f} s")
        finally:
            _end(process)
            listener.join(5)

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            if line.startswith(MARK):
                self.add(row_of(json.loads(line.removeprefix(MARK))))
            else:
                print(line, end="", flush=True)

    def _failed(self, section: Section, why: str) -> None:
        self.add(Row(section=section.name, name="the rest of it", error=why))

    def _ceilings(self) -> dict[str, float]:
        return {row.name: row.figure for row in self.rows if row.section == "ceilings" and row.figure}

    def save(self) -> None:
        """Write the rows so far."""
        if self.output is not None:
            kept = {"plan": json.loads(self.plan.to_json()), "rows": [row.to_dict() for row in self.rows]}
            self.output.write_text(json.dumps(kept, indent=1))

    @property
    def failures(self) -> int:
        """Rows that have an error."""
        return sum(bool(row.error) for row in self.rows)


def _end(process: subprocess.Popen[str]) -> None:
    """Kill a section and what it started, if it is still there."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def run_section(name: str, plan: Plan) -> None:
    """What a section's own process does; a failure is a row."""
    report = Report(name)
    try:
        NAMES[name].run(plan, report)
    except Exception as error:
        traceback.print_exc()
        report.row("the rest of it", error=in_short(error))


@contextmanager
def working_folder(given: Path | None, nbytes: int) -> Iterator[Path]:
    """The given folder, or one of our own with room, in memory if possible, and removed at the end."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    places = [place for place in (MEMORY_FILES, Path(tempfile.gettempdir())) if os.access(place, os.W_OK)]
    parent = max(places, key=lambda place: min(room_in(place), nbytes))
    folder = Path(tempfile.mkdtemp(prefix="gpucurate-bench-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def room_in(folder: Path) -> int:
    """Bytes of a corpus for which a folder has room."""
    return shutil.disk_usage(folder).free // ROOM


def fitted(plan: Plan) -> Plan:
    """With a corpus for which the folder has room."""
    room, wanted = room_in(plan.folder), plan.corpus_bytes
    if wanted <= room:
        return plan
    print(f"{plan.folder} has room for a corpus of {format_bytes(room)}, not of {format_bytes(wanted)}")
    return replace(plan, corpus_bytes=room)


def _parser() -> argparse.ArgumentParser:
    description = str(__doc__).partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.bench_gpu", description=description)
    option: Any = parser.add_argument
    groups = sorted({section.name.partition(".")[0] for section in SECTIONS} | set(NAMES))
    option("--only", nargs="+", default=[], choices=groups, metavar="NAME", help=" ".join(groups))
    option("--output", type=Path, help="file for the rows, as JSON")
    option("--folder", type=Path, help="for corpus and outputs; a folder of its own in /dev/shm if not given")
    option("--size", type=parse_bytes, help="JSON lines end to end (8GB)")
    option("--seconds", type=float, default=EXPECTED_SECONDS, help="that all of it may take (480)")
    option("--smoke", action="store_true", help="smallest sizes: whether everything runs at all")
    option("--section", choices=NAMES, help=argparse.SUPPRESS)
    option("--plan", type=Plan.from_json, help=argparse.SUPPRESS)
    return parser


def main() -> int:
    """Run the sections; 1 if anything failed."""
    arguments = _parser().parse_args([word for given in sys.argv[1:] for word in _words(given)])
    if arguments.section:
        run_section(arguments.section, arguments.plan)
        return 0
    plan = smoke_plan(MEMORY_FILES) if arguments.smoke else Plan(folder=MEMORY_FILES, workers=usable_cores())
    plan = replace(plan, corpus_bytes=arguments.size or plan.corpus_bytes)
    with working_folder(arguments.folder, plan.corpus_bytes) as folder:
        plan = fitted(replace(plan, folder=folder))
        bench = Bench(plan, arguments.output, 1e9 if arguments.smoke else arguments.seconds)
        began = time.monotonic()
        chosen = [section for section in SECTIONS if section.is_named(arguments.only)]
        if corpus_is_needed(chosen):
            written = build(plan.corpus, plan.corpus_bytes, plan.part_bytes, usable_cores())
            seconds = time.monotonic() - began
            print(f"-- corpus: {written:,} bytes of JSON lines, {seconds:.1f} s\n", flush=True)
        bench.run(chosen)
    print(table(bench.rows))
    missed = [row for row in bench.rows if row.verdict.startswith("missed")]
    print(f"\n{time.monotonic() - began:.0f} s; {bench.failures} failed, {len(missed)} goals missed:")
    for row in missed:
        print(f"- {row.name}: {number(row.figure or 0)} of {number(row.goal or 0)} {row.unit}, {row.verdict}")
    return 1 if bench.failures else 0


def _words(given: str) -> list[str]:
    """``--only kernels,readers`` as well as ``--only kernels readers``; a plan is left whole."""
    return given.split(",") if given.replace(",", "").replace("_", "").replace(".", "").isalpha() else [given]


if __name__ == "__main__":
    sys.exit(main())
