"""Input files, and the ranges of them that are units of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpucurate.spec.pickling import quick

FileFormat = Literal["jsonl", "parquet"]
Compression = Literal["none", "gzip", "zstd"]


@quick
@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of the input, as it was listed.

    Attributes:
        path: what to open: an absolute local path or an fsspec URL.
        name: path relative to the input it was found under, ``/`` as separator; output
            names and the order of documents derive from it. Unique in a listing.
        size: bytes.
        mtime_ns: last change, nanoseconds; None where the store does not tell.
        etag: entity tag of an object store, else None.
        format: layout of the records.
        compression: of the whole file by its name (JSONL only); Parquet says ``none``.
    """

    path: str
    name: str
    size: int
    mtime_ns: int | None
    etag: str | None
    format: FileFormat
    compression: Compression


@quick
@dataclass(frozen=True, slots=True)
class FileRange:
    """A piece of one file: bytes of plain JSONL, row groups of Parquet, or all of it.

    A line of JSONL belongs to the range in which its first byte lies.

    Attributes:
        file: the file.
        start: first byte or row group.
        stop: end, exclusive; for a compressed file the range is the whole file.
        ordinal: position among the file's ranges, from 0.
        count: number of ranges of the file.
    """

    file: InputFile
    start: int
    stop: int
    ordinal: int = 0
    count: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether the range is the only one of its file."""
        return self.count == 1

    @property
    def est_bytes(self) -> int:
        """Bytes of input behind the range; row groups count as an even share of the file."""
        return self.file.size // self.count if self.file.format == "parquet" else self.stop - self.start
