"""What a unit costs that does nothing, and one that is committed.

    python -m benchmarks.scheduler.units noop|commit UNITS FOLDER [--executor local] [--workers 2]

``noop`` hands a number to a stage that hands it back. ``commit`` reads a JSONL file of a few lines and
writes one: rename, log and fsync included.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks.scheduler.chosen import EXECUTORS, chosen
from benchmarks.scheduler.three_stages import Number
from gpucurate import Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

LINES = 20


class Nothing(ProcessingStage[Number, Number]):
    """Hands on what it is given."""

    def process(self, task: Number) -> Number:
        return task


def noop(units: int, executor: Any) -> Any:
    """Run units that do nothing."""
    given = [Number("numbers", number, str(number)) for number in range(units)]
    return Pipeline("nothing", stages=[Nothing()]).run(executor, given)


def commit(units: int, executor: Any, folder: Path) -> Any:
    """Run units of a small file each."""
    source, target = folder / f"small-{units}", folder / "committed"
    if not source.exists():
        source.mkdir(parents=True)
        for number in range(units):
            lines = (json.dumps({"id": number * LINES + line, "text": "word " * 9}) for line in range(LINES))
            (source / f"{number:06d}.jsonl").write_text("\n".join(lines) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    stages = [JsonlReader(source, files_per_partition=1, fields=["text"]), JsonlWriter(target)]
    result = Pipeline("commit", stages=stages).run(executor)
    shutil.rmtree(target)
    return result


def main() -> None:
    """Run and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("noop", "commit"))
    parser.add_argument("units", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--executor", choices=EXECUTORS, default="local")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with chosen(options.executor, options.workers) as executor:
        if options.kind == "noop":
            report = noop(options.units, executor).report
        else:
            report = commit(options.units, executor, options.folder).report
    (phase,) = report.phases
    print(json.dumps({"tasks": phase.units, "seconds": phase.seconds, "whole": report.seconds}))


if __name__ == "__main__":
    main()
