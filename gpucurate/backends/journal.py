"""What a worker was at: one record that outlives it."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from gpucurate.spec.storage import storage_errors
from gpucurate.spec.suspect import Suspect

_RECORD = struct.Struct("<?QQQ")
"""Whether it is at anything; stage, first row, end."""


def journal_path(folder: Path, attempt: str) -> Path:
    """Where the journal of an attempt lies.

    Args:
        folder: of attempts.
        attempt: what names of its files begin with.
    """
    return folder / f"{attempt}-journal"


class Journal:
    """A record of fixed size, rewritten in place before each call of a stage.

    The page cache keeps it when the process dies; of the machine's death it need not tell.

    Args:
        path: of the file.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)

    def begin(self, stage: int, start: int, stop: int) -> None:
        """Note that a stage is given rows ``start`` to ``stop`` of those that it sees of the unit.

        Raises:
            StorageError: it cannot be written.
        """
        self._write(_RECORD.pack(True, stage, start, stop))

    def end(self) -> None:
        """Note that the call is over.

        Raises:
            StorageError: it cannot be written.
        """
        self._write(bytes(_RECORD.size))

    def _write(self, record: bytes) -> None:
        with storage_errors(self.path):
            os.pwrite(self._file, record, 0)

    def close(self) -> None:
        """Close and remove the file: the worker lives."""
        os.close(self._file)
        self.path.unlink(missing_ok=True)


def read_journal(path: Path) -> Suspect | None:
    """What a worker was at when it died; None if at nothing, or if it kept no journal."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) != _RECORD.size:
        return None  # it died before the first call
    busy, stage, start, stop = _RECORD.unpack(raw)
    return Suspect(stage, 0, start, stop) if busy else None
