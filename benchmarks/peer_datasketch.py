"""A fuzzy deduplication written with datasketch, for comparison: same shingles, bands and cores.

    python -m benchmarks.peer_datasketch INPUT OUTPUT [PROCESSES]

Reads JSONL, normalises as gpucurate does by default (lower case, white space collapsed), takes
character 5-grams, 128 permutations in 16 bands of 8, and keeps the first document of each group of
candidates. It writes JSONL and no clusters, no rejects, no report.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

from datasketch import MinHash, MinHashLSH

NGRAM, BANDS, ROWS = 5, 16, 8


def sketch(line: bytes) -> MinHash:
    """The signature of one document."""
    text = " ".join(json.loads(line)["text"].lower().split())
    shingles = {text[i : i + NGRAM] for i in range(max(1, len(text) - NGRAM + 1))}
    signature = MinHash(num_perm=BANDS * ROWS)
    signature.update_batch([shingle.encode() for shingle in shingles])
    return signature


def lines(folder: Path) -> Iterator[bytes]:
    """All lines of the JSONL files of a folder."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as file:
            yield from file


def main() -> None:
    """Deduplicate."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    with Pool(int(sys.argv[3]) if len(sys.argv) > 3 else None) as pool, target.open("wb") as out:
        signatures = pool.imap(sketch, lines(source), chunksize=64)
        for number, (line, signature) in enumerate(zip(lines(source), signatures, strict=True)):
            if not index.query(signature):
                out.write(line)
            index.insert(number, signature)


if __name__ == "__main__":
    main()
