"""Lines of JSONL folders, for the pipelines of peers; the standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path


def lines(folder: Path) -> Iterator[bytes]:
    """All lines of the JSONL files of a folder."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as file:
            yield from file


def batches(items: Iterable[bytes], count: int) -> Iterator[list[bytes]]:
    """Lists of ``count`` items."""
    rest = iter(items)
    while batch := list(islice(rest, count)):
        yield batch


def normalized_text(line: bytes) -> str:
    """The text of a record as gpucurate's default has it: lower case, white space collapsed."""
    return " ".join(json.loads(line)["text"].lower().split())
