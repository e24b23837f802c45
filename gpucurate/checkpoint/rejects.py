"""Rejected rows on disk: one zstd JSONL file for each unit that has any."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import zstandard

from gpucurate.checkpoint.durable import make_folder, storage_errors
from gpucurate.spec.names import encode_name
from gpucurate.spec.reject import SNIPPET_BYTES, Reject
from gpucurate.spec.source import FileRange


def write_rejects(path: Path, rejects: Iterable[tuple[FileRange, Reject]]) -> tuple[int, int]:
    """Write rejects as they were found, rows counted from the start of their range.

    Returns:
        Rows and bytes written.

    Raises:
        StorageError: not possible.
    """
    lines = [orjson.dumps(_entry(source, reject)) + b"\n" for source, reject in rejects]
    return len(lines), _write(path, lines)


def number_rows(part: Path, final: Path, first_rows: Mapping[tuple[str, int], int]) -> None:
    """Copy a file of rejects with rows counted from the start of their file.

    Args:
        part: as :func:`write_rejects` left it.
        final: where to write.
        first_rows: physical records before each (file, range).

    Raises:
        StorageError: not possible.
    """
    make_folder(final.parent)
    temporary = final.with_name(f".{final.name}.tmp")
    _write(temporary, _numbered(part, first_rows))
    with storage_errors(final):
        temporary.replace(final)


def _entry(source: FileRange, reject: Reject) -> dict[str, Any]:
    return {
        "path": encode_name(source.file.name),
        "range": source.ordinal,
        "row": reject.line,
        "offset": reject.offset,
        "reason": reject.reason,
        "detail": reject.detail,
        "snippet": reject.snippet[:SNIPPET_BYTES].decode("utf-8", "backslashreplace"),
    }


def _numbered(part: Path, first_rows: Mapping[tuple[str, int], int]) -> Iterator[bytes]:
    for entry in read_rejects(part):
        row, ordinal = entry.pop("row"), entry.pop("range")
        if row is not None:
            row += first_rows[entry["path"], ordinal]
        line = None if row is None else row + 1
        yield orjson.dumps({"path": entry.pop("path"), "row": row, "line": line, **entry}) + b"\n"


def read_rejects(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a file of rejects."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        rest = b""
        while block := stream.read(1 << 20):
            *lines, rest = (rest + block).split(b"\n")
            yield from map(orjson.loads, lines)


def _write(path: Path, lines: Iterable[bytes]) -> int:
    with storage_errors(path), path.open("wb") as file:
        with zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(
            file, closefd=False
        ) as stream:
            for line in lines:
                stream.write(line)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()
