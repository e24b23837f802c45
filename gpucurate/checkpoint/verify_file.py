"""One file that a run wrote, against what it recorded of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.checkpoint.store import Store
from gpucurate.ops.document_hash import DocumentHasher
from gpucurate.spec.errors import StorageError, one_line
from gpucurate.spec.names import decode_name

_BLOCK = 1 << 20

AGAIN = "Give the command of the run again: it makes anew what is missing"
"""What to do about what is gone or cut."""

_REMOVE = (
    "Remove it, and give the command of the run again: it compares sizes only, and writes what is missing"
)
_LINES = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Promise:
    """What a record says of a file.

    Attributes:
        name: as in the record.
        rows: records in it; None where they are not counted.
        bytes: size.
        checksum: document hash of its bytes; empty where none was taken.
    """

    name: str
    rows: int | None
    bytes: int
    checksum: str


def compare(store: Store, promise: Promise) -> str:
    """What is wrong with a file, as a sentence; empty if nothing is.

    Size and checksum are compared, and rows where counting them needs no decompression: lines of plain JSON
    lines, and what the footer of Parquet says.
    """
    name = decode_name(promise.name)
    try:
        size = store.size(name)
        if size is None:
            return f"it is missing. {AGAIN}"
        if size != promise.bytes:
            return f"it has {size:,} bytes, and was written with {promise.bytes:,}. {AGAIN}"
        if not promise.checksum:
            return ""
        with store.open(name) as file:
            return _content(file, name, promise)
    except StorageError as error:
        return one_line(error)


def _content(file: BinaryIO, name: str, promise: Promise) -> str:
    hasher, lines = DocumentHasher(), 0
    while block := file.read(_BLOCK):
        hasher.update(block)
        lines += block.count(b"\n")
    if hasher.hexdigest() != promise.checksum:
        return f"its bytes are not those that were written. {_REMOVE}"
    if promise.rows is None:
        return ""
    rows = lines if name.endswith(_LINES) else _parquet_rows(file) if name.endswith(_PARQUET) else None
    if rows is not None and rows != promise.rows:
        return f"it has {rows:,} rows, and was written with {promise.rows:,}"
    return ""


def _parquet_rows(file: BinaryIO) -> int | None:
    file.seek(0)
    try:
        return int(pq.read_metadata(file).num_rows)
    except pa.ArrowException:
        return -1  # as it was written: no Parquet
