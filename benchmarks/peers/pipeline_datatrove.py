"""datatrove's MinHash deduplication in four stages, 5-grams of words in 14 bands of 8 (FineWeb's).

    python -m benchmarks.peers.pipeline_datatrove INPUT OUTPUT PROCESSES

OUTPUT is a folder. As many tasks as processes, and one task a band in the second stage. Processes are forked:
they start sooner than from datatrove's server of forks, and their processor time is counted.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

CONFIG = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)


def main() -> None:
    """Deduplicate."""
    source, target, processes = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as folder:
        signatures, buckets, removed = (f"{folder}/{name}" for name in ("signatures", "buckets", "removed"))
        stages = [
            (processes, [_reader(source), MinhashDedupSignature(signatures, CONFIG)]),
            (CONFIG.num_buckets, [MinhashDedupBuckets(signatures, buckets, config=CONFIG)]),
            (1, [MinhashDedupCluster(buckets, removed, config=CONFIG)]),
            (processes, [_reader(source), MinhashDedupFilter(removed), _writer(target)]),
        ]
        for number, (tasks, steps) in enumerate(stages):
            logs = f"{folder}/logs-{number}"
            LocalPipelineExecutor(
                steps, tasks=tasks, workers=processes, logging_dir=logs, start_method="fork"
            ).run()


def _reader(source: str) -> JsonlReader:
    return JsonlReader(source, glob_pattern="*.jsonl")


def _writer(target: Path) -> JsonlWriter:
    return JsonlWriter(str(target), compression=None)


if __name__ == "__main__":
    main()
