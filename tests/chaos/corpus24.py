"""A corpus of 24 units with duplicates of each kind and lines that are broken, as JSONL or Parquet."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.io.block_file import BLOCK_BYTES

FILES = 6
_WORDS = [
    start + end for start in ("ka", "lo", "mi", "nu", "pe", "ro", "su") for end in ("n", "r", "st", "x")
]


def write_jsonl(folder: Path, documents: int = 12) -> Path:
    """Six files of four units each (:func:`blocksize` bytes), in each file a line that is no JSON.

    Args:
        folder: is made.
        documents: a unit.
    """
    folder.mkdir(parents=True)
    made = _documents(4 * FILES * documents)
    for number in range(FILES):
        lines = [json.dumps(next(made)) + "\n" for _ in range(4 * documents)]
        lines.insert(documents, '{"text": "torn\n')
        (folder / f"part-{number:02d}.jsonl").write_text("".join(lines))
    return folder


def write_parquet(folder: Path, documents: int = 12) -> Path:
    """Six files of four row groups each, in each file a text that is null."""
    folder.mkdir(parents=True)
    made = _documents(4 * FILES * documents)
    for number in range(FILES):
        rows = [next(made) for _ in range(4 * documents)]
        rows[documents]["text"] = None
        pq.write_table(
            pa.Table.from_pylist(rows), folder / f"part-{number:02d}.parquet", row_group_size=documents
        )
    return folder


def write_tiny(folder: Path, documents: int = 750) -> Path:
    """Six files of many small documents, almost all different: too many keys for a small memory."""
    folder.mkdir(parents=True)
    for number in range(FILES):
        lines = (f'{{"id": {number}, "text": "{number % 5}-{at}"}}\n' for at in range(4 * documents))
        (folder / f"part-{number:02d}.jsonl").write_text("".join(lines))
    return folder


def write_large(folder: Path) -> Path:
    """Two files of one unit each: more than a block of output (4 MiB)."""
    folder.mkdir(parents=True)
    for number in range(2):
        text = f"{number} " + "word " * 100_000
        lines = (json.dumps({"id": number * 10 + at, "text": text}) + "\n" for at in range(14))
        (folder / f"part-{number:02d}.jsonl").write_text("".join(lines))
    return folder


def blocksize(folder: Path) -> int:
    """Bytes a unit: four of each file, or one of a large one."""
    size = max(path.stat().st_size for path in folder.iterdir())
    return size if size > BLOCK_BYTES else size // 4 + 1


def _documents(count: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(6)
    texts: list[str] = []
    for number in range(count):
        texts.append(_text(rng, texts))
        yield {"id": number, "text": texts[-1], "x": f"{number % 7}"}


def _text(rng: random.Random, before: list[str]) -> str:
    """A new text, one that was there, or one that was there with a word or two changed."""
    kind = rng.random()
    if before and kind < 0.15:
        return rng.choice(before)
    if before and kind < 0.35:
        words = rng.choice(before).split()
        words[rng.randrange(len(words))] = rng.choice(_WORDS)
        return " ".join(words)
    return " ".join(rng.choice(_WORDS) for _ in range(rng.randrange(30, 60)))
