"""What it takes to plan, to go on and to find that there is nothing to do.

    python benchmarks/bench_resume.py                       # 1,000,000 made-up files, 100,000 finished units
    python benchmarks/bench_resume.py --real 1000000 --scratch /big/disk    # and files that are there

Each figure is of a process that does nothing else; seconds of wall time, and of the processor in brackets.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.disk.files import make_folder
from gpucurate.io.listing import Listing, list_input
from gpucurate.planning.planner import make_plan
from gpucurate.planning.units import make_units
from gpucurate.spec.books import Books
from gpucurate.spec.source import FileRange, InputFile
from gpucurate.spec.stage import StageSpec
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.spec.unit import BytesTaken, OutputFile, RangeTally, UnitResult
from gpucurate.workflows.exact import ExactDeduplicationWorkflow

GARBAGE = 100_000
"""Allocations between collections, as the command sets it."""

PLAN = make_plan("main", [StageSpec("reader", "Reader"), StageSpec("writer", "Writer")])


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Do it, and say how long it took."""
    wall, cpu = time.monotonic(), processor_seconds()
    made = work()
    print(f"{what:<58} {time.monotonic() - wall:7.2f} s ({processor_seconds() - cpu:.2f})", flush=True)
    return made


def processor_seconds() -> float:
    """Of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def made_up(count: int, folder: Path) -> Listing:
    """A listing of files that nobody reads but the first, whose columns are looked at."""
    folder.mkdir()
    (folder / "0.jsonl").write_text('{"text": "the first"}\n')
    names = (f"part-{number // 1000:04d}/{number % 1000:03d}.jsonl" for number in range(count))
    files = [InputFile(f"/data/{name}", name, 5_000, 1_700_000_000, None, "jsonl", "none") for name in names]
    return Listing((*list_input([folder]).files, *files[1:]), ())


class Planned(ExactDeduplicationWorkflow):
    """A deduplication of files that need not be there."""

    def __init__(self, listing: Listing, output: Path) -> None:
        super().__init__("/data", output)
        self.__dict__["listing"] = listing


def plan_listing(listing: Listing, output: Path) -> None:
    """Check names of outputs, make units, store the listing, begin a phase: all before anything is read."""
    workflow = Planned(listing, output)
    _, plan, units = timed(f"{len(listing.files):,} files: survey", workflow.survey)
    with RunFolder(output, workflow.name, workflow._decides(plan)) as folder:
        timed(f"{len(listing.files):,} files: stored, phase begun", lambda: Phase(folder, plan, units))
    with RunFolder(output, workflow.name, workflow._decides(plan)) as folder:
        timed(f"{len(listing.files):,} files: found unchanged", lambda: Phase(folder, plan, units))


def finish_units(count: int, output: Path) -> None:
    """Plan a run all of whose units are done."""
    names = [f"{number}.jsonl" for number in range(count)]
    files = [InputFile(f"/data/{name}", name, 5_000, 1, None, "jsonl", "none") for name in names]
    units = make_units(PLAN, [(FileRange(file, 0, 5_000),) for file in files])
    with RunFolder(output, "bench", {}) as folder:
        phase = Phase(folder, PLAN, units)
        make_folder(output / "out")
        for unit in units:
            name = f"out/{unit.index}.jsonl"
            (output / name).write_bytes(b"x")
            result = UnitResult(
                unit.id,
                [OutputFile(name, "", 1, 1, "ab" * 16)],
                Books(read=1, kept=1),
                [StagePerfStats("reader", 1.5), StagePerfStats("writer", 1.5)],
                [RangeTally(unit.groups[0][0].file.name, 0, 1, 0, BytesTaken(0, 5_000, "cd" * 16))],
                input_bytes=5_000,
            )
            phase.record(unit, result)
        folder.log.sync()

    def again() -> int:
        with RunFolder(output, "bench", {}) as folder:
            return len(Phase(folder, PLAN, units).results())

    assert timed(f"{count:,} finished units: planned", again) == count


def nothing_to_do(output: Path) -> None:
    """The whole command, where an earlier one has finished."""
    corpus = output / "in"
    corpus.mkdir(parents=True)
    for number in range(100):
        (corpus / f"{number}.jsonl").write_text(f'{{"text": "page {number % 70}"}}\n' * 20)
    command = [
        sys.executable,
        "-m",
        "gpucurate",
        "dedup",
        "exact",
        str(corpus),
        "-q",
        "-o",
        str(output / "out"),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    before = {path: path.stat().st_mtime_ns for path in (output / "out").glob("*.jsonl")}
    timed(
        "a finished run again: whole process",
        lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL),
    )
    assert before == {path: path.stat().st_mtime_ns for path in before}, "an output was touched"


def make_files(count: int, folder: Path) -> None:
    """Tiny files, a thousand a folder."""
    for at in range(0, count, 1000):
        part = folder / f"part-{at // 1000:04d}"
        part.mkdir(parents=True)
        for number in range(at, min(count, at + 1000)):
            (part / f"{number}.jsonl").touch()


def main() -> None:
    """Run what was asked for."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--files", type=int, default=1_000_000, help="made-up files")
    parser.add_argument("--units", type=int, default=100_000, help="finished units")
    parser.add_argument("--real", type=int, default=0, help="files that are made and listed")
    parser.add_argument("--scratch", type=Path, default=None, help="where to write")
    given = parser.parse_args()
    gc.set_threshold(GARBAGE)
    scratch = Path(tempfile.mkdtemp(dir=given.scratch))
    try:
        nothing_to_do(scratch / "again")
        finish_units(given.units, scratch / "units")
        plan_listing(made_up(given.files, scratch / "first"), scratch / "made-up")
        if given.real:
            make_files(given.real, scratch / "real")
            listing = timed(f"{given.real:,} files: listed", lambda: list_input([scratch / "real"]))
            plan_listing(listing, scratch / "of-real")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
