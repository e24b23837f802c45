"""Read JSON lines, keep all, write JSON lines: gpucurate.

python -m benchmarks.kills.keep_gpucurate INPUT OUTPUT CORES
"""

from __future__ import annotations

import sys

from gpucurate import LocalExecutor, Pipeline
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

if __name__ == "__main__":
    source, target, cores = sys.argv[1:4]
    stages = [JsonlReader(source, fields=["id", "text"], files_per_partition=1), JsonlWriter(target)]
    Pipeline("keep", stages=stages).run(LocalExecutor(workers=int(cores)))
