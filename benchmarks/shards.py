"""Files that records are written into, one after another."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

FORMATS = ("jsonl", "jsonl.gz", "jsonl.zst", "parquet")
ROW_GROUP_BYTES = 16_000_000
Record = dict[str, str]


def open_shard(path: Path, format: str) -> LineShard | ParquetShard:
    """A new file of ``format``, one of FORMATS."""
    if format == "parquet":
        return ParquetShard(path)
    if format == "jsonl.gz":  # no time stamp and no name inside: the same bytes each time
        return LineShard(cast(IO[bytes], _Gzip(path)))
    if format == "jsonl.zst":
        return LineShard(zstandard.open(path, "wb"))
    return LineShard(path.open("wb"))


class LineShard:
    """A file of lines, through any compressor that has ``write`` and ``close``."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.nbytes = file, 0

    def add(self, record: Record, line: bytes) -> None:
        self.file.write(line)
        self.nbytes += len(line)

    def close(self) -> None:
        self.file.close()


class ParquetShard:
    """A Parquet file with a row group for every ROW_GROUP_BYTES of text."""

    SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "text", "source", "kind")])

    def __init__(self, path: Path) -> None:
        self.writer = pq.ParquetWriter(path, self.SCHEMA, compression="zstd")
        self.rows: list[Record] = []
        self.nbytes = self.flushed = 0

    def add(self, record: Record, line: bytes) -> None:
        self.rows.append(record)
        self.nbytes += len(line)
        if self.nbytes - self.flushed >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        self.writer.write_table(pa.Table.from_pylist(self.rows, schema=self.SCHEMA))
        self.rows, self.flushed = [], self.nbytes

    def close(self) -> None:
        if self.rows:
            self._flush()
        self.writer.close()


class _Gzip(gzip.GzipFile):
    def __init__(self, path: Path) -> None:
        self.below = path.open("wb")
        super().__init__(filename="", mode="wb", compresslevel=1, fileobj=self.below, mtime=0)

    def close(self) -> None:
        super().close()
        self.below.close()
