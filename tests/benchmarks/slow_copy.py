"""Copies a shard after the other, line by line, under the final name, and begins anew each time."""

from __future__ import annotations

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    source, target, _, seconds = sys.argv[1:5]
    Path(target).mkdir(exist_ok=True)
    for shard in sorted(Path(source).glob("*.jsonl")):
        with (Path(target) / f"{time.time_ns()}.jsonl").open("wb", buffering=0) as out:
            for line in shard.read_bytes().splitlines(keepends=True):
                out.write(line[:5])
                time.sleep(float(seconds))
                out.write(line[5:])
