"""A fuzzy deduplication written with rensa: normalised 5-grams of characters, 16 bands of 8.

    python -m benchmarks.peers.pipeline_rensa INPUT OUTPUT [PROCESSES] [--hashes]

Processes sketch, the parent looks each sketch up in an RMinHashLSH, inserts it, and keeps a document
that finds no earlier one. With ``--hashes``, numpy hashes the shingles, and a set a band stands for the
index, since a digest matrix cannot leave its process.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from rensa import RMinHash, RMinHashLSH

from benchmarks.peers.lines import batches, lines, normalized_text
from benchmarks.peers.sketch_rensa import SEED, window_hashes
from benchmarks.peers.sketching import BANDS, PERMUTATIONS, ROWS, char_shingles

BATCH = 64
THRESHOLD = 0.7


def sketches(batch: list[bytes]) -> list[RMinHash]:
    """A sketch of each document, from lists of shingles."""
    found = []
    for line in batch:
        sketch = RMinHash(PERMUTATIONS, SEED)
        sketch.update(char_shingles(normalized_text(line)))
        found.append(sketch)
    return found


def keys(batch: list[bytes]) -> list[list[bytes]]:
    """The values of each band of each document, from hashes of shingles that numpy makes."""
    hashes = [window_hashes(normalized_text(line)) for line in batch]
    ends = np.cumsum([0, *map(len, hashes)]).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(hashes), ends, PERMUTATIONS, SEED)
    rows = np.array(matrix.to_rows(), np.uint32).reshape(len(batch), BANDS, ROWS)
    return [[band.tobytes() for band in row] for row in rows]


def unseen_by_index(found: Iterable[list[RMinHash]]) -> Iterator[bool]:
    """Whether each sketch is the first of its candidates."""
    index = RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS)
    for number, sketch in enumerate(sketch for batch in found for sketch in batch):
        yield not index.query(sketch)
        index.insert(number, sketch)


def unseen_by_sets(found: Iterable[list[list[bytes]]]) -> Iterator[bool]:
    """Whether no band of a document was seen before."""
    seen: list[set[bytes]] = [set() for _ in range(BANDS)]
    for document in (document for batch in found for document in batch):
        yield not any(key in band for key, band in zip(document, seen, strict=True))
        for key, band in zip(document, seen, strict=True):
            band.add(key)


def main() -> None:
    """Deduplicate."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("processes", type=int, nargs="?")
    parser.add_argument("--hashes", action="store_true")
    options = parser.parse_args()
    with Pool(options.processes) as pool, options.target.open("wb") as out:
        work = batches(lines(options.source), BATCH)
        if options.hashes:
            unseen = unseen_by_sets(pool.imap(keys, work))
        else:
            unseen = unseen_by_index(pool.imap(sketches, work))
        out.writelines(line for line, new in zip(lines(options.source), unseen, strict=True) if new)


if __name__ == "__main__":
    main()
