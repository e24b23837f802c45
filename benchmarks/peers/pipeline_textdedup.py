"""text-dedup's MinHash command over a folder of JSONL, 5-grams of words in 16 bands of 8.

    python -m benchmarks.peers.pipeline_textdedup INPUT OUTPUT PROCESSES

The command saves an Arrow data set; JSONL is written from it at the end, as the others write it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from datasets import load_from_disk

from benchmarks.peers.sketching import BANDS, NGRAM, PERMUTATIONS, ROWS


def main() -> None:
    """Deduplicate."""
    source, target, processes = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute(), sys.argv[3]
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        options = {
            "path": "json",
            "data_files": str(source / "*.jsonl"),
            "split": "train",
            "cache_dir": f"{folder}/cache",
            "output": f"{folder}/output",
            "column": "text",
            "ngram": NGRAM,
            "min_length": 1,
            "num_perm": PERMUTATIONS,
            "b": BANDS,
            "r": ROWS,
            "num_proc": processes,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        subprocess.run([sys.executable, "-m", "text_dedup.minhash", *arguments], check=True)
        load_from_disk(f"{folder}/output").to_json(target, force_ascii=False)


if __name__ == "__main__":
    main()
