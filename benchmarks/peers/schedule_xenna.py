"""The three stages on cosmos-xenna, as NeMo Curator uses it by default.

python -m benchmarks.peers.schedule_xenna TASKS NBYTES [--mode streaming|batch] [--cpus 0.5] [--actors 0]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

import pyarrow as pa
import ray
from cosmos_xenna.pipelines import v1 as xenna

from benchmarks.scheduler.work import Count, Make, Measure


class Stage(xenna.Stage):  # type: ignore[misc]
    """A stage with what NeMo Curator's adapter gives: resources, a batch of one task."""

    def __init__(self, cpus: float) -> None:
        self.cpus = cpus

    @property
    def required_resources(self) -> Any:
        return xenna.Resources(cpus=self.cpus)


class MakeStage(Stage):
    def __init__(self, cpus: float, nbytes: int) -> None:
        super().__init__(cpus)
        self.nbytes = nbytes

    def setup(self, worker_metadata: Any) -> None:
        self.work = Make(self.nbytes)

    def process_data(self, in_data: list[int]) -> list[pa.Table]:
        return [self.work(number) for number in in_data]


class MeasureStage(Stage):
    def setup(self, worker_metadata: Any) -> None:
        self.work = Measure()

    def process_data(self, in_data: list[pa.Table]) -> list[pa.Table]:
        return [self.work(table) for table in in_data]


class CountStage(Stage):
    def setup(self, worker_metadata: Any) -> None:
        self.work = Count()

    def process_data(self, in_data: list[pa.Table]) -> list[dict[str, float]]:
        return [{**self.work.sums(self.work(table)), "at": time.time()} for table in in_data]


def config(mode: str) -> Any:
    """NeMo Curator's settings; the autoscaler runs early, since the run is short."""
    streaming = xenna.StreamingSpecificSpec(autoscale_interval_s=5.0) if mode == "streaming" else None
    return xenna.PipelineConfig(
        execution_mode=xenna.ExecutionMode[mode.upper()],
        return_last_stage_outputs=True,
        cpu_allocation_percentage=1.0,
        mode_specific=streaming,
    )


def main() -> None:
    """Run and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=int)
    parser.add_argument("nbytes", type=int)
    parser.add_argument("--mode", choices=("streaming", "batch"), default="streaming")
    parser.add_argument("--cpus", type=float, default=0.5, help="of an actor")
    parser.add_argument("--actors", type=int, default=0, help="of a stage; 0 leaves it to the autoscaler")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    # Its monitor lists so many actors, and the server of the cluster has to allow it.
    os.environ.update(RAY_MAX_LIMIT_FROM_API_SERVER="40000", RAY_MAX_LIMIT_FROM_DATA_SOURCE="40000")
    ray.init("local", num_cpus=options.cores, log_to_driver=False, logging_level="error")
    # Its monitor asks for "the" cluster of the machine, and there may be others.
    os.environ["RAY_ADDRESS"] = ray.get_runtime_context().gcs_address
    stages = [
        MakeStage(options.cpus, options.nbytes),
        MeasureStage(options.cpus),
        CountStage(options.cpus),
    ]
    began, wall = time.perf_counter(), time.time()
    specs = [xenna.StageSpec(stage, num_workers=options.actors or None) for stage in stages]
    spec = xenna.PipelineSpec(list(range(options.tasks)), specs, config(options.mode))
    rows = xenna.run_pipeline(spec)
    seconds = time.perf_counter() - began
    first = min(row["at"] for row in rows) - wall
    words = sum(row["words"] for row in rows)
    print(json.dumps({"tasks": len(rows), "seconds": seconds, "first": first, "words": words}))
    ray.shutdown()


if __name__ == "__main__":
    main()
