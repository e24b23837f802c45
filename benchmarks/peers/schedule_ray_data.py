"""The three stages on Ray Data.

    python -m benchmarks.peers.schedule_ray_data TASKS NBYTES [--as arrow|tasks] [--cpus 0.5] [--actors 1]

Stages are classes, so that each has its actors, as stages that load a model need them. ``arrow`` is Ray
Data at its best: blocks are Arrow tables. ``tasks`` is how NeMo Curator uses it: rows hold one Python
object, a batch is one row, the input has a block for each task.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import pyarrow as pa
import ray

from benchmarks.scheduler.work import Count, Make, Measure


class MakeBlock(Make):
    def __call__(self, batch: pa.Table) -> pa.Table:
        return super().__call__(batch["item"][0].as_py())


class CountBlock(Count):
    def __call__(self, batch: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([self.sums(super().__call__(batch))])


class MakeItem(Make):
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"item": [super(MakeItem, self).__call__(int(number)) for number in batch["item"]]}


class MeasureItem(Measure):
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"item": [super(MeasureItem, self).__call__(table) for table in batch["item"]]}


class CountItem(Count):
    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        rows = [self.sums(super(CountItem, self).__call__(table)) for table in batch["item"]]
        return {name: [row[name] for row in rows] for name in rows[0]}


def arrow(dataset: Any, nbytes: int, options: dict[str, Any]) -> Any:
    """Blocks are tables."""
    whole = {"batch_size": None, "batch_format": "pyarrow", **options}
    made = dataset.map_batches(MakeBlock, fn_constructor_args=(nbytes,), **whole)
    return made.map_batches(Measure, **whole).map_batches(CountBlock, **whole)


def tasks(dataset: Any, nbytes: int, options: dict[str, Any]) -> Any:
    """Rows are objects."""
    single = {"batch_size": 1, **options}
    made = dataset.map_batches(MakeItem, fn_constructor_args=(nbytes,), **single)
    return made.map_batches(MeasureItem, **single).map_batches(CountItem, **single)


def main() -> None:
    """Run and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=int)
    parser.add_argument("nbytes", type=int)
    parser.add_argument("--as", dest="way", choices=("arrow", "tasks"), default="arrow")
    parser.add_argument("--cpus", type=float, default=0.5, help="of an actor")
    parser.add_argument("--actors", type=int, default=1, help="of a stage")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    ray.init(
        "local", num_cpus=options.cores, include_dashboard=False, log_to_driver=False, logging_level="error"
    )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.enable_fallback_to_arrow_object_ext_type = True
    began = time.perf_counter()
    items = ray.data.from_items(list(range(options.tasks)), override_num_blocks=options.tasks)
    shared = {"num_cpus": options.cpus, "concurrency": options.actors}
    dataset = (arrow if options.way == "arrow" else tasks)(items, options.nbytes, shared)
    first, rows = 0.0, []
    for row in dataset.iter_rows():
        first = first or time.perf_counter() - began
        rows.append(row)
    seconds = time.perf_counter() - began
    words = sum(int(row["words"]) for row in rows)
    print(json.dumps({"tasks": len(rows), "seconds": seconds, "first": first, "words": words}))
    ray.shutdown()


if __name__ == "__main__":
    main()
