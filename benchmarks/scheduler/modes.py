"""One real pipeline, streaming and batch.

    python -m benchmarks.scheduler.modes CORPUS OUTPUT [--mode streaming|batch] [--executor local]

JSONL is read, text is normalised, documents are scored and filtered, and what is left is written: a
worker for each stage, so that there is something to stream.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from benchmarks.scheduler.chosen import EXECUTORS, chosen
from benchmarks.scheduler.three_stages import FirstCommit
from gpucurate import Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch

Batches = ProcessingStage[DocumentBatch, DocumentBatch]


class Normalize(Batches):
    """One space for a run of white space, of the ASCII kinds."""

    def inputs(self) -> tuple[list[str], list[str]]:
        return ["data"], ["text"]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        text = pc.replace_substring_regex(task.to_pyarrow()["text"], r"[ \t\r\n]+", " ")
        return task.assign({"text": text})


class Words(Batches):
    """Drops documents with few words, or with many that repeat."""

    def __init__(self, least: int, repeated: float) -> None:
        self.least, self.repeated = least, repeated

    def inputs(self) -> tuple[list[str], list[str]]:
        return ["data"], ["text"]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        words = [text.split() for text in task.to_pyarrow()["text"].to_pylist()]
        kept = [len(w) >= self.least and len(set(w)) >= (1 - self.repeated) * len(w) for w in words]
        return task.select(pc.cast(kept, "bool").to_numpy(zero_copy_only=False))


def pipeline(corpus: Path, output: Path) -> Pipeline:
    """Reader, two stages that compute, writer."""
    reader = JsonlReader(corpus, blocksize="4MB", fields=["text"])
    return Pipeline("modes", stages=[reader, Normalize(), Words(20, 0.7), JsonlWriter(output)])


def main() -> None:
    """Run and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--mode", choices=("streaming", "batch"), default="streaming")
    parser.add_argument("--executor", choices=EXECUTORS, default="local")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fuse", action="store_true", help="one worker for all stages")
    options = parser.parse_args()
    shutil.rmtree(options.output, ignore_errors=True)
    observer = FirstCommit()
    with chosen(options.executor, options.workers, mode=options.mode, fuse=options.fuse) as executor:
        began = time.perf_counter()
        result = pipeline(options.corpus, options.output).run(executor, observer=observer)
        seconds = time.perf_counter() - began
    shutil.rmtree(options.output)
    print(json.dumps(figures(result.report, seconds, observer.at - began, options.workers)))


def figures(report: Any, seconds: float, first: float, workers: int) -> dict[str, float]:
    """Times in seconds, memory in bytes; busy is the share of the cores' time that stages computed."""
    (phase,) = report.phases
    working = sum(stage.process_time for stage in phase.stages)
    return {
        "tasks": phase.units,
        "seconds": seconds,
        "first": first,
        "peak": report.peak_memory_bytes,
        "in_flight": phase.peak_bytes_in_flight,
        "busy": working / (seconds * workers),
        "kept": report.books.kept,
    }


if __name__ == "__main__":
    main()
