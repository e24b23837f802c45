"""Read JSON lines, keep all, write JSON lines: Ray Data.

    python -m benchmarks.kills.keep_ray_data INPUT OUTPUT CORES append|overwrite|checkpoint

``append`` is the default of ``write_json``. ``checkpoint`` is its ``CheckpointConfig`` (beta), by the
ids, kept beside the output.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ray
from ray.data import SaveMode
from ray.data.checkpoint import CheckpointConfig

if __name__ == "__main__":
    source, target, cores, way = sys.argv[1:5]
    ray.init(
        "local", num_cpus=int(cores), include_dashboard=False, log_to_driver=False, logging_level="error"
    )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    if way == "checkpoint":
        context.checkpoint_config = CheckpointConfig("id", f"{Path(target).absolute()}-checkpoint")
    files = sorted(map(str, Path(source).glob("*.jsonl")))
    dataset = ray.data.read_json(files, lines=True, override_num_blocks=len(files))
    mode = SaveMode.OVERWRITE if way == "overwrite" else SaveMode.APPEND
    dataset.write_json(target, mode=mode, orient="records", lines=True)
