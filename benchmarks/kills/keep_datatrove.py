"""Read JSON lines, keep all, write JSON lines: datatrove's LocalPipelineExecutor, a task a shard.

    python -m benchmarks.kills.keep_datatrove INPUT OUTPUT CORES

Its log, by which it knows finished tasks again, lies beside the output.
"""

from __future__ import annotations

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

if __name__ == "__main__":
    source, target, cores = sys.argv[1:4]
    LocalPipelineExecutor(
        [JsonlReader(source, glob_pattern="*.jsonl"), JsonlWriter(target, compression=None)],
        tasks=len(list(Path(source).glob("*.jsonl"))),
        workers=int(cores),
        logging_dir=f"{target}-logs",
        start_method="fork",
    ).run()
