"""Ten good documents, the command over them, and what it leaves."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from gpucurate.cli.app import run
from tests.input_classes.declared import parquet, texts
from tests.input_classes.files import BAD_FILES

GOOD = {
    "a.jsonl": texts("good", 4),
    "b/c.jsonl.gz": gzip.compress(texts("packed", 3), mtime=0),
    "m.jsonl.zst": zstandard.compress(texts("zstd", 2)),
    "z.parquet": parquet({"text": ["row"], "x": [1]}),
}
"""Ten documents before and after the name that bad files have."""

DOCUMENTS = 10


@dataclass(frozen=True)
class Ended:
    """What a command came to.

    Attributes:
        code: it ended with.
        output: folder.
        said: on both streams.
    """

    code: int
    output: Path
    said: str

    @property
    def report(self) -> dict[str, Any]:
        return report(self.output)

    @property
    def books(self) -> dict[str, Any]:
        books: dict[str, Any] = self.report["books"]
        return books

    @property
    def rejects(self) -> list[dict[str, Any]]:
        return rejects(self.output)

    @property
    def contents(self) -> dict[str, bytes]:
        return contents(self.output)

    @property
    def is_finished(self) -> bool:
        return (self.output / "_gpucurate/_SUCCESS").exists()


Command = Callable[..., Ended]
"""The command with more options."""


def write_good(folder: Path) -> Path:
    """The good files in a folder, which is made."""
    for name, content in GOOD.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def dedup(*arguments: str | Path, kind: str = "exact") -> int:
    """Exit code of ``gpucurate dedup exact``, in this process."""
    return run(["dedup", kind, *map(str, arguments), "--quiet", "--max-record-bytes", "1000000"])


def report(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "_gpucurate/report.json").read_text())
    return found


def rejects(output: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in sorted((output / "_gpucurate/rejects").glob("*.zst")):
        with zstandard.ZstdDecompressor().stream_reader(part.read_bytes()) as stream:
            found += map(json.loads, io.TextIOWrapper(stream, "utf-8"))
    return found


def contents(output: Path) -> dict[str, bytes]:
    files = (p for p in output.rglob("*") if p.is_file() and "_gpucurate" not in p.parts)
    return {str(p.relative_to(output)): p.read_bytes() for p in files}


def rows(path: Path) -> int:
    if path.suffix == ".parquet":
        return int(pq.ParquetFile(path).metadata.num_rows)
    content = path.read_bytes()
    if path.suffix in (".gz", ".zst"):
        codec = "gzip" if path.suffix == ".gz" else "zstd"
        content = pa.CompressedInputStream(pa.py_buffer(content), codec).read()
    return content.count(b"\n")


def all_classes(folder: Path) -> Counter[str]:
    """A file of each class in a folder of its own below ``folder/in``; what is to be rejected."""
    expected: Counter[str] = Counter()
    for number, bad in enumerate(BAD_FILES.values()):
        place = folder / "in" / f"{number:02d}"
        place.mkdir(parents=True)
        (place / bad.name).write_bytes(bad.content)
        expected.update(bad.rejects)
    return expected


def check_books(books: dict[str, Any]) -> None:
    """Every document that was read is accounted for."""
    dropped, rejected = sum(books["dropped"].values()), sum(books["rejected"].values())
    assert books["read"] == books["kept"] + dropped + rejected + books["quarantined"]
