"""The commit log: one line a record, each with its checksum, read until the first bad one."""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import orjson

from gpucurate.disk.behind import Behind
from gpucurate.disk.crash import reach
from gpucurate.disk.files import fsync_folder, open_private
from gpucurate.spec.errors import GpucurateError, StorageError
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
        check_owner: is called before records are handed to the kernel, and raises if the folder was lost.

    Raises:
        StorageError: the file cannot be opened.
    """

    def __init__(
        self, path: Path, behind: Behind | None = None, check_owner: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self._behind = behind
        self._check_owner = check_owner or (lambda: None)
        self.records, whole, after = whole_records(path) if path.exists() else ([], 0, 0)
        if after:
            _log.warning("%s is damaged: %d records behind the damage do not count", path, after)
        with storage_errors(path):
            reach("log.before_open")
            self._file: IO[bytes] = open_private(path, "ab", buffering=0)  # of lines, see flush()
            reach("log.after_open")
            self._file.truncate(whole)
            self._file.seek(0, os.SEEK_END)
        if not self.records:
            with storage_errors(path):
                sync_folder = fsync_folder if behind is None else behind.sync_folder
                sync_folder(path.parent)  # of a new log the name too has to be on disk
        self._lines: list[bytes] = []
        self._waiting = 0
        self._written = self._synced = whole
        self._failure: GpucurateError | None = None

    def append(self, record: dict[str, Any]) -> None:
        """Add a record; it is durable after :meth:`sync`, at the latest after 64 of them."""
        if self._behind is not None:
            self._behind.settle()
        reach("record.before_append")
        self._lines.append(_line(record))
        reach("record.after_append")
        self.records.append(record)
        self._waiting += 1
        if self._waiting >= GROUP_RECORDS:
            self.sync()

    def flush(self) -> None:
        """Hand records to the kernel: whoever kills this process does not undo them."""
        self._refuse_after_failure()
        if not self._lines:
            return
        self._check_owner()
        try:
            with storage_errors(self.path):
                self._write(b"".join(self._lines))
        except StorageError as error:
            self._give_up(error, self._written)
            raise
        self._lines.clear()

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]
        self._written += len(content)

    def sync(self) -> None:
        """Make all records durable."""
        self._refuse_after_failure()
        if not self._waiting:
            return
        self.flush()
        reach("record.before_fsync")
        try:
            with storage_errors(self.path):
                os.fsync(self._file.fileno())
        except StorageError as error:
            self._give_up(error, self._synced)
            raise
        reach("record.after_fsync")
        self._synced = self._written
        self._waiting = 0

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _give_up(self, failure: GpucurateError, whole: int) -> None:
        """Cut off what cannot be known to be on disk: after a failed fsync the kernel takes it for written.

        Another fsync would then succeed, and the next run believe records that a loss of power takes.
        """
        self._failure = failure
        with suppress(GpucurateError, OSError):  # else the error that led here is the one to see
            self._check_owner()  # else they are the records of another owner
            self._file.truncate(whole)

    def close(self) -> None:
        """Sync, unless that has failed before, and close."""
        try:
            if self._failure is None:
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
