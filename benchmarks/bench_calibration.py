"""How near the simulator comes to real runs with 1, 2 and 4 workers.

    python -m benchmarks.bench_calibration [CORPUS] [--size 400MB] [--output calibration.json]

A CPU-bound pipeline and the key pass of a fuzzy deduplication run with one worker. What that took is read
from the run's own event log: seconds of each unit, of a worker's setup, and of the driver for each unit. Then
the same scheduler runs in the simulator with 1, 2 and 4 workers, and the real one does.

Workers beyond the cores share them: their units are taken to last as much longer. Nothing else is fitted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from benchmarks.bench_dedup import corpus
from gpucurate.backends.cores import usable_cores
from gpucurate.backends.executors import LocalExecutor
from gpucurate.backends.sim.distributions import Constant
from gpucurate.backends.sim.model import LaneModel, Links
from gpucurate.backends.sim.scenario import Scenario, uniform_nodes
from gpucurate.backends.sim.simulation import Simulation
from gpucurate.pipeline import Pipeline
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Need
from gpucurate.spec.event_log import from_plain
from gpucurate.spec.events import UnitDone, WorkerReady
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

WORKERS = (1, 2, 4)
BLOCK = "4MiB"


class Words(ProcessingStage[Any, Any]):
    """Python over each document: bound by the processor, as user stages are."""

    def inputs(self) -> tuple[list[str], list[str]]:
        return ["data"], ["text"]

    def outputs(self) -> tuple[list[str], list[str]]:
        return ["data"], ["words"]

    def process(self, batch: Any) -> Any:
        texts = batch.to_pyarrow()["text"].to_pylist()
        return batch.assign({"words": [len({*(text or "").lower().split()}) for text in texts]})


def run_pipeline(source: Path, output: Path, workers: int) -> None:
    stages = [JsonlReader(str(source), fields=["text"], blocksize=BLOCK), Words(), JsonlWriter(str(output))]
    Pipeline("words", stages=stages).run(LocalExecutor(workers))


def run_dedup(source: Path, output: Path, workers: int) -> None:
    FuzzyDeduplicationWorkflow([str(source)], output, input_blocksize=4 << 20).run(LocalExecutor(workers))


RUNS: dict[str, tuple[Callable[[Path, Path, int], None], str]] = {
    "pipeline": (run_pipeline, "main"),
    "fuzzy dedup, keys": (run_dedup, "keys"),
}


@dataclass(frozen=True)
class Observed:
    """What the event log of a phase says.

    Attributes:
        units: as the scheduler was given them.
        seconds: of each unit in the worker.
        setup: seconds until the first worker was ready.
        between: seconds of a lone worker from the end of a unit to the start of the next, on average.
        makespan: seconds until the last unit was done.
    """

    units: list[tuple[str, int]]
    seconds: list[float]
    setup: float
    between: float
    makespan: float


def observe(output: Path, phase: str) -> Observed:
    lines = (output / "_gpucurate" / "events" / f"{phase}-001.jsonl").read_bytes().splitlines()
    head, logged = orjson.loads(lines[0]), [orjson.loads(line) for line in lines[1:]]
    events = [(at, from_plain(plain)) for at, plain in logged]
    done = [(at, event.figures.seconds) for at, event in events if isinstance(event, UnitDone)]
    ready = min(at for at, event in events if isinstance(event, WorkerReady))
    last = max(at for at, _ in done)
    seconds = [took for _, took in done]
    between = max(0.0, (last - ready - sum(seconds)) / len(seconds))
    return Observed([tuple(unit) for unit in head["units"]], seconds, ready, between, last)


def simulate(seen: Observed, workers: int, cores: int) -> float:
    """Makespan in the simulator, of costs that were seen with one worker."""
    slower = max(1.0, workers / cores)
    per_unit = (statistics.fmean(seen.seconds) + seen.between) * slower
    model = LaneModel(seconds=Constant(per_unit), setup=Constant(seen.setup))
    scenario = Scenario(
        lanes=(Lane("all stages", Need(1000)),),
        models=(model,),
        units=tuple(seen.units),
        nodes=uniform_nodes(1, cpus=workers, memory=1 << 40),
        policy=Policy(workers, 1 << 40, max_slots=1),
        links=Links(latency_s=0.0),
    )
    history = Simulation(scenario).run()
    return max(committed.at for committed in history.committed)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, nargs="?", help="folder of JSONL; one is made if not given")
    parser.add_argument("--size", default="400MB", help="of the corpus that is made")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="for it and for outputs")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    source = options.corpus or corpus(options.folder, options.size)[0].parent
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = [row for name in RUNS for row in compare(name, source, options.folder, options.runs)]
    print(f"{'run':20} {'workers':>7} {'real s':>8} {'simulated s':>12} {'error':>7}")
    for row in rows:
        error = f"{row['error']:+.1%}"
        print(f"{row['run']:20} {row['workers']:7} {row['real']:8.2f} {row['simulated']:12.2f} {error:>7}")
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2))


def compare(name: str, source: Path, folder: Path, runs: int) -> list[dict[str, Any]]:
    """Real and simulated seconds, by number of workers; rounds alternate, medians are compared."""
    run, phase = RUNS[name]
    seen: dict[int, list[Observed]] = {workers: [] for workers in WORKERS}
    run_once(run, phase, source, folder, 1)  # compiles, and warms the page cache
    for _ in range(runs):
        for workers in WORKERS:
            seen[workers].append(run_once(run, phase, source, folder, workers))
    alone = sorted(seen[1], key=lambda each: each.makespan)[runs // 2]
    cores = usable_cores()
    rows = []
    for workers in WORKERS:
        real = statistics.median(each.makespan for each in seen[workers])
        setup = statistics.median(each.setup for each in seen[workers])
        simulated = simulate(replace(alone, setup=setup), workers, cores)
        rows.append(
            {
                "run": name,
                "workers": workers,
                "real": real,
                "simulated": simulated,
                "error": simulated / real - 1,
            }
        )
    return rows


def run_once(
    run: Callable[[Path, Path, int], None], phase: str, source: Path, folder: Path, workers: int
) -> Observed:
    target = Path(tempfile.mkdtemp(dir=folder))
    try:
        run(source, target / "out", workers)
        return observe(target / "out", phase)
    finally:
        shutil.rmtree(target)


if __name__ == "__main__":
    main()
