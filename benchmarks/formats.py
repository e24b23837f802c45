"""A corpus of JSONL in other formats, file by file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.json
import pyarrow.parquet as pq
import zstandard

FORMATS = ("jsonl", "jsonl.zst", "parquet")
_BLOCK_BYTES = 64 << 20  # a record must not be larger


def in_format(files: list[Path], folder: Path, name: str) -> list[Path]:
    """The same records in another format; files that are there are taken as they are.

    Args:
        files: JSONL.
        folder: where they are written.
        name: one of ``FORMATS``; JSONL itself is returned as it is.
    """
    if name == "jsonl":
        return files
    write: Callable[[Path, Path], None] = _zstd if name == "jsonl.zst" else _parquet
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for path in files:
        target = folder / f"{path.stem}.{name}"
        if not target.exists():
            half = target.with_suffix(".half")
            write(path, half)
            half.rename(target)
        made.append(target)
    return made


def _zstd(source: Path, target: Path) -> None:
    with source.open("rb") as lines, target.open("wb") as file:
        zstandard.ZstdCompressor(level=3, write_checksum=True).copy_stream(lines, file, source.stat().st_size)
        shutil.copystat(source, target)


def _parquet(source: Path, target: Path) -> None:
    table = pyarrow.json.read_json(source, pyarrow.json.ReadOptions(block_size=_BLOCK_BYTES))
    pq.write_table(table, target, compression="zstd")
