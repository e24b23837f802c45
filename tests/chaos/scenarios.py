"""What is killed: runs of 24 units, each as a function of where it reads and writes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpucurate import InlineExecutor, LocalExecutor, Pipeline
from gpucurate.cli.app import run as command
from gpucurate.dedup import saved_forest
from gpucurate.spec.errors import GpucurateError
from gpucurate.stages.shapes.checkpoint import Checkpoint
from gpucurate.stages.text.io.reader import JsonlReader, ParquetReader
from gpucurate.stages.text.io.writer import JsonlWriter, ParquetWriter
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from tests.chaos.corpus24 import blocksize
from tests.chaos.stages import Sieve, Sieve2, WholePoison

Start = Callable[[Path, str, int], int]
"""From the corpus, the output and the number of workers (0: in this process itself) to an exit code."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run to be killed.

    Attributes:
        corpus: which one: ``jsonl``, ``large``, ``parquet`` or ``tiny``.
        start: runs it.
        exit_code: with which it ends well.
        after: what was there before: None for nothing, "" for the same run, finished; else that, less a file
            of this name.
        follows: which run was before, if not the same.
        in_store: whether it writes to S3.
    """

    corpus: str
    start: Start
    exit_code: int = 0
    after: str | None = None
    follows: str = ""
    in_store: bool = False


def dedup(*options: str, files: str = "") -> Start:
    """``gpucurate dedup`` with these options, of all files or those of a pattern."""

    def start(corpus: Path, output: str, workers: int) -> int:
        kind = ["--workers", str(workers)] if workers else ["--executor", "inline"]
        given = [options[0], str(corpus / files), "-o", output, *options[1:], *kind]
        size = [] if "--blocksize" in options else ["--blocksize", str(blocksize(corpus))]
        return command(["dedup", *given, *size, "--max-reject-rate", "0.1", "--quiet"])

    return start


def pipeline(
    *stages: object, parquet: bool = False, fuse: bool = True, ignore_failures: bool = False
) -> Start:
    """A pipeline that reads, runs these stages and writes."""

    def start(corpus: Path, output: str, workers: int) -> int:
        reader, writer = (ParquetReader, ParquetWriter) if parquet else (JsonlReader, JsonlWriter)
        first = reader(corpus, fields=["id"], blocksize=blocksize(corpus))
        config = {"fuse": fuse}
        executor = LocalExecutor(workers, config=config) if workers else InlineExecutor(config=config)
        line = Pipeline("chaos", stages=[first, *stages, writer(output)])
        return _code(lambda: line.run(executor, max_reject_rate=0.1, ignore_failures=ignore_failures))

    return start


def checkpointed(corpus: Path, output: str, workers: int) -> int:
    """A pipeline with a checkpoint beside its output."""
    stages = Sieve(3), Checkpoint(f"{output}-checkpoint"), Sieve2(5)
    return pipeline(*stages)(corpus, output, workers)


def saved(start: Start) -> Start:
    """A run that saves its components after each band; a process is forked for each, so nobody else does."""

    def saving(corpus: Path, output: str, workers: int) -> int:
        saved_forest.SAVE_SECONDS = saved_forest.WORTH_SECONDS = 0.0
        return start(corpus, output, workers)

    return saving


def exact(corpus: Path, output: str, workers: int) -> int:
    """Exact deduplication to a URL."""
    kind = LocalExecutor(workers) if workers else InlineExecutor()
    options = {"input_blocksize": blocksize(corpus), "max_reject_rate": 0.1}
    return _code(lambda: ExactDeduplicationWorkflow(corpus, output, **options).run(kind))


def _code(run: Callable[[], object]) -> int:
    try:
        run()
    except GpucurateError as error:
        print(f"gpucurate: {error}", file=sys.stderr)
        return error.exit_code
    return 0


SCENARIOS: dict[str, Scenario] = {
    "exact": Scenario("jsonl", dedup("exact")),
    "exact, spilled": Scenario("tiny", dedup("exact", "--memory", "1600kB")),
    "exact, parquet": Scenario("parquet", dedup("exact")),
    "exact, again": Scenario("jsonl", dedup("exact"), after="part-02.00001.jsonl"),
    "exact, nothing left": Scenario("jsonl", dedup("exact"), after=""),
    "exact, four files": Scenario("jsonl", dedup("exact", files="part-0[0-3].jsonl")),
    "exact, changed": Scenario(
        "jsonl",
        dedup("exact", "--resume-changed", files="part-0[1-5].jsonl"),
        after="",
        follows="exact, four files",
    ),
    "exact, S3": Scenario("jsonl", exact, in_store=True),
    "fuzzy": Scenario("jsonl", dedup("fuzzy")),
    "fuzzy, saved": Scenario("jsonl", saved(dedup("fuzzy", "--bands", "3", "--rows", "8"))),
    "fuzzy, parquet": Scenario("parquet", dedup("fuzzy", "--annotate")),
    "fuzzy, verified": Scenario("jsonl", dedup("fuzzy", "--verify", "exact", "--threshold", "0.7")),
    "fuzzy, verified, parquet": Scenario(
        "parquet", dedup("fuzzy", "--verify", "exact", "--threshold", "0.7", "--linkage", "survivor")
    ),
    "pipeline": Scenario("jsonl", pipeline(Sieve(3))),
    "pipeline, checkpoint": Scenario("jsonl", checkpointed),
    "pipeline, large": Scenario("large", pipeline(Sieve(3))),
    "pipeline, parquet": Scenario("parquet", pipeline(Sieve(3), parquet=True)),
    "pipeline, S3": Scenario("jsonl", pipeline(Sieve(3)), in_store=True),
    "pipeline, segments": Scenario("jsonl", pipeline(Sieve(3), Sieve2(5), fuse=False)),
    "pipeline, poisoned": Scenario(
        "jsonl", pipeline(Sieve(3), WholePoison(46, "raises"), ignore_failures=True)
    ),
    "pipeline, poisoned again": Scenario(
        "jsonl", pipeline(Sieve(3), WholePoison(46, "raises"), ignore_failures=True), after=""
    ),
}
