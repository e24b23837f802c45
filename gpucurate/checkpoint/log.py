"""The commit log: one line a record, each with its checksum, read until the first bad one."""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from gpucurate.disk.behind import Behind
from gpucurate.disk.crash import reach
from gpucurate.disk.files import fsync_folder, open_private
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors

_log = logging.getLogger("gpucurate.checkpoint")

GROUP_RECORDS = 64
"""Records that may wait for one fsync."""


class CommitLog:
    """An append-only file of JSON records.

    A line is the CRC-32 of the record in eight hexadecimal digits, a blank, the record. When
    the log is opened it is cut off before its first bad line: a crash leaves a torn end, and a loss of
    power may keep later lines of a group that was not synced without earlier ones. What a cut record told
    of is done again; that good lines were cut is said in the log of the program.

    Args:
        path: of the file; made if absent.
        behind: what it carries out is done before a record is written.

    Raises:
        StorageError: the file cannot be opened.
    """

    def __init__(self, path: Path, behind: Behind | None = None) -> None:
        self.path = path
        self._behind = behind
        self.records, whole, after = whole_records(path) if path.exists() else ([], 0, 0)
        if after:
            _log.warning("%s is damaged: %d records behind the damage do not count", path, after)
        with storage_errors(path):
            reach("log.before_open")
            self._file = open_private(path, "ab")
            reach("log.after_open")
            self._file.truncate(whole)
            self._file.seek(0, os.SEEK_END)
        if not self.records:
            with storage_errors(path):
                sync_folder = fsync_folder if behind is None else behind.sync_folder
                sync_folder(path.parent)  # of a new log the name too has to be on disk
        self._waiting = 0

    def append(self, record: dict[str, Any]) -> None:
        """Add a record; it is durable after :meth:`sync`, at the latest after 64 of them."""
        if self._behind is not None:
            self._behind.settle()
        reach("record.before_append")
        with storage_errors(self.path):
            self._file.write(_line(record))
        reach("record.after_append")
        self.records.append(record)
        self._waiting += 1
        if self._waiting >= GROUP_RECORDS:
            self.sync()

    def flush(self) -> None:
        """Hand records to the kernel: whoever kills this process does not undo them."""
        with storage_errors(self.path):
            self._file.flush()

    def sync(self) -> None:
        """Make all records durable."""
        if not self._waiting:
            return
        with storage_errors(self.path):
            self._file.flush()
            reach("record.before_fsync")
            os.fsync(self._file.fileno())
        reach("record.after_fsync")
        self._waiting = 0

    def close(self) -> None:
        """Sync and close."""
        try:
            self.sync()
        finally:
            with storage_errors(self.path):
                self._file.close()


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a log, up to a torn end.

    Raises:
        StorageError: it cannot be read, or a bad line stands before a good one.
    """
    records, _, after = whole_records(path)
    if after:
        raise StorageError(f"{path} is damaged: a bad line stands before {after} good ones")
    yield from records


def whole_records(path: Path) -> tuple[list[dict[str, Any]], int, int]:
    """The records of a log up to its first bad line, how many bytes they take, and good lines after it.

    Raises:
        StorageError: it cannot be read.
    """
    records: list[dict[str, Any]] = []
    whole = after = 0
    is_bad = False
    with storage_errors(path, "read"), path.open("rb") as file:
        for line in file:
            record = parse_line(line)
            if record is None:
                is_bad = True
            elif is_bad:
                after += 1
            else:
                records.append(record)
                whole += len(line)
    return records, whole, after


def _line(record: dict[str, Any]) -> bytes:
    body = orjson.dumps(record)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def parse_line(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None if it is torn or damaged."""
    if len(line) < 11 or line[-1:] != b"\n" or line[8:9] != b" ":
        return None
    body = line[9:-1]
    try:
        if int(line[:8], 16) != zlib.crc32(body):
            return None
    except ValueError:
        return None
    with suppress(orjson.JSONDecodeError):
        record = orjson.loads(body)
        return record if isinstance(record, dict) else None
    return None
