"""The three stages on gpucurate.

python -m benchmarks.scheduler.three_stages TASKS NBYTES [--executor local] [--workers 2] [--no-fuse]
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.scheduler.chosen import EXECUTORS, chosen
from benchmarks.scheduler.work import Count, Make, Measure
from gpucurate import Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.resources import Resources
from gpucurate.tasks import DocumentBatch
from gpucurate.tasks.task import Task


@dataclass
class Number(Task[int]):
    """A task that is nothing but a number."""

    @property
    def num_items(self) -> int:
        return 1


@dataclass
class Sums(Task[dict[str, int]]):
    """What is left of a table."""

    @property
    def num_items(self) -> int:
        return self.data["documents"]


class MakeStage(ProcessingStage[Number, DocumentBatch]):
    """Makes a table of a number."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes

    def setup(self, worker_metadata: Any = None) -> None:
        self.work = Make(self.nbytes)

    def process(self, task: Number) -> DocumentBatch:
        return DocumentBatch("made", self.work(task.data))


class MeasureStage(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Adds a column."""

    def setup(self, worker_metadata: Any = None) -> None:
        self.work = Measure()

    def process(self, task: DocumentBatch) -> DocumentBatch:
        return DocumentBatch("measured", self.work(task.to_pyarrow()))


class CountStage(ProcessingStage[DocumentBatch, Sums]):
    """Adds a column and sums up."""

    def setup(self, worker_metadata: Any = None) -> None:
        self.work = Count()

    def process(self, task: DocumentBatch) -> Sums:
        sums = self.work.sums(self.work(task.to_pyarrow()))
        self.count("words", sums["words"])
        return Sums("sums", sums)


class FirstCommit:
    """Notes when the first unit was committed."""

    def __init__(self) -> None:
        self.at = 0.0

    def phase_started(self, *_: Any) -> None:
        pass

    def unit_committed(self, *_: Any) -> None:
        self.at = self.at or time.perf_counter()

    phase_ended = trouble = phase_started


def main() -> None:
    """Run and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=int)
    parser.add_argument("nbytes", type=int)
    parser.add_argument("--executor", choices=EXECUTORS, default="local")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-fuse", action="store_true", help="a worker for each stage")
    options = parser.parse_args()
    # Of three stages on two cores, as the peers are told as well.
    resources = Resources(cpus=0.5 if options.no_fuse else 1.0)
    stages = [
        stage.with_(resources=resources)
        for stage in (MakeStage(options.nbytes), MeasureStage(), CountStage())
    ]
    given = [Number("numbers", number, str(number)) for number in range(options.tasks)]
    with chosen(options.executor, options.workers, fuse=not options.no_fuse) as executor:
        observer = FirstCommit()
        pipeline = Pipeline("three stages", stages=stages)
        began = time.perf_counter()
        result = pipeline.run(executor, given, observer=observer)
        seconds = time.perf_counter() - began
    first = observer.at - began
    words = result.report.counts["words"]
    print(json.dumps({"tasks": len(result), "seconds": seconds, "first": first, "words": words}))


if __name__ == "__main__":
    main()
