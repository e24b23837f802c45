"""One owner a run folder, and an epoch that tells owners apart."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from gpucurate.disk.crash import reach
from gpucurate.disk.files import SyncFolder, open_private, write_atomic
from gpucurate.spec.errors import OutputInUseError, StorageError
from gpucurate.spec.storage import storage_errors

_DIGITS = 20
"""Of the number of an owner, at most."""


class OwnerLock:
    """An exclusive lock on a run folder, held until it is closed or its process ends.

    Each owner takes the next epoch; what an earlier one left unfinished can be told by it.

    Args:
        folder: the run folder.
        take_over: take it from an owner on another machine. One of this machine that is gone holds nothing,
            and one that is not has to be ended first.
        sync_folder: makes the name of the epoch durable before anything of this owner becomes final; at once
            if None. What says which epoch it is has that name, and is on disk, in any case.

    Raises:
        OutputInUseError: another process holds it; the message names that process.
        StorageError: the folder cannot be locked or written to.
    """

    def __init__(
        self, folder: Path, *, take_over: bool = False, sync_folder: SyncFolder | None = None
    ) -> None:
        self.path = folder / "lock"
        self._file = self._open()
        try:
            if take_over:
                self._put_aside()
            self._acquire(folder)
            reach("lock.after_acquire")
            self._write_owner()
            reach("lock.after_owner")
            self.epoch = _next_epoch(folder / "epoch", sync_folder)
        except BaseException:
            self._file.close()
            raise

    def _open(self) -> IO[str]:
        with storage_errors(self.path):
            return open_private(self.path, "a+")

    def _put_aside(self) -> None:
        """A lock that another machine left on a shared disk: it stays with a file that has no name."""
        self._file.seek(0)
        try:
            host = json.loads(self._file.read())["host"]
        except (ValueError, KeyError, TypeError):
            return
        if host != socket.gethostname():
            with storage_errors(self.path):
                self.path.unlink()
            self._file.close()
            self._file = self._open()

    def _acquire(self, folder: Path) -> None:
        with storage_errors(self.path):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputInUseError(
                    f"{folder} is being written to by another run ({self._owner()}): "
                    "wait for it, or choose another output"
                ) from None

    def _owner(self) -> str:
        self._file.seek(0)
        try:
            values = json.loads(self._file.read())
            return f"process {values['pid']} on {values['host']}"
        except (ValueError, KeyError, TypeError):
            return "an unknown process"

    def _write_owner(self) -> None:
        with storage_errors(self.path):
            self._file.truncate(0)
            self._file.write(
                json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()})
            )
            self._file.flush()

    def close(self) -> None:
        """Give the folder up."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _next_epoch(path: Path, sync_folder: SyncFolder | None) -> int:
    with storage_errors(path):
        text = path.read_bytes() if path.exists() else b"0"
    if not text.strip().isdigit() or len(text) > _DIGITS:
        raise StorageError(
            f"{path} is damaged: it holds {text[:40]!r} instead of a number. Remove that file, if no run "
            "writes there, and run again: owners are then counted from 1"
        )
    epoch = int(text) + 1
    write_atomic(path, f"{epoch}\n".encode(), sync_folder=sync_folder)
    return epoch
