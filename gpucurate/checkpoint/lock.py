"""One owner a run folder, and an epoch that tells owners apart."""

from __future__ import annotations

import fcntl
import os
import socket
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson

from gpucurate.checkpoint.process_age import identity, is_near
from gpucurate.disk.crash import reach
from gpucurate.disk.files import PRIVATE, SyncFolder, write_atomic
from gpucurate.spec.errors import OutputInUseError, StorageError
from gpucurate.spec.storage import storage_errors

_DIGITS = 20
"""Of the number of an owner, at most."""

_OWNER_BYTES = 512
"""What an owner says of itself is filled up to as much, so that one write replaces what another one said."""


class OwnerLock:
    """An exclusive lock on a run folder, held until it is closed or taken over, or its process ends.

    Each owner takes the next epoch; what an earlier one left unfinished can be told by it. Whoever finds
    another epoch than its own has lost the folder, also where machines share a disk and no locks.

    Args:
        folder: the run folder.
        take_over: take it from an owner on another machine. One of this machine that is gone holds nothing,
            and one that is not has to be ended first.
        sync_folder: makes the name of the epoch durable before anything of this owner becomes final; at once
            if None. What says which epoch it is has that name, and is on disk, in any case.

    Raises:
        OutputInUseError: another process holds it; the message names that process.
        StorageError: the folder cannot be locked or written to, or another one took it over just now.
    """

    def __init__(
        self, folder: Path, *, take_over: bool = False, sync_folder: SyncFolder | None = None
    ) -> None:
        self.path = folder / "lock"
        self._epoch_path = folder / "epoch"
        with storage_errors(self.path):
            self._file = self._acquire(take_over)
        try:
            reach("lock.after_acquire")
            with storage_errors(self.path):
                _write_owner(self._file)
            reach("lock.after_owner")
            self.epoch = (_read_epoch(self._epoch_path) or 0) + 1
            write_atomic(self._epoch_path, f"{self.epoch}\n".encode(), sync_folder=sync_folder)
            with storage_errors(self.path):
                if not _has_name(self._file, self.path):  # both who take it over may have this epoch
                    raise self._lost()
        except BaseException:
            self._file.close()
            raise

    def _acquire(self, take_over: bool) -> IO[bytes]:
        """The locked file, which has its name once it is: another one may have taken the name over."""
        while True:
            file = _open(self.path, os.O_CREAT)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with file:
                    owner = _owner_in(file)
                    if not take_over or _is_of_this_machine(owner):
                        raise self._refusal(owner) from None
                    taken = self._replace(file)
                if taken is not None:
                    return taken
            else:
                if _has_name(file, self.path):
                    return file
                file.close()

    def _replace(self, held: IO[bytes]) -> IO[bytes] | None:
        """A locked file in the place of one that another machine holds; None if that is there no more."""
        near = self.path.with_name(f".{self.path.name}.{uuid.uuid4().int}.tmp")
        file = _open(near, os.O_CREAT | os.O_EXCL)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_owner(file)
            if _has_name(held, self.path):
                near.replace(self.path)
                return file
        except BaseException:
            file.close()
            near.unlink(missing_ok=True)
            raise
        file.close()
        near.unlink()
        return None

    def _refusal(self, owner: Mapping[str, Any]) -> OutputInUseError:
        told = "wait for it, or choose another output"
        if not _is_of_this_machine(owner):
            told += "; of one that was lost with its machine, --take-over takes it at once"
        return OutputInUseError(
            f"{self.path.parent} is being written to by another run ({_who(owner)}): {told}"
        )

    def check(self) -> None:
        """Whether the folder is still this process's.

        The epoch is opened by its name each time: so the client of a network's disk asks the server, where
        it might answer what was known of a name or of an open file a while ago.

        Raises:
            StorageError: another run has taken it over, or the folder was removed.
        """
        if _read_epoch(self._epoch_path) != self.epoch:
            raise self._lost()

    def _lost(self) -> StorageError:
        if not self._epoch_path.exists():
            return StorageError(f"{self._epoch_path} was removed while a run wrote there: this one ends")
        with suppress(OSError), _open(self.path) as file:
            return StorageError(
                f"{self.path.parent} was taken over by another run ({_who(_owner_in(file))}): this one ends"
            )
        return StorageError(f"{self.path.parent} was taken over by another run: this one ends")

    def close(self) -> None:
        """Give the folder up."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(path: Path, more: int = 0) -> IO[bytes]:
    """Open a lock for reading and writing, without emptying it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | more, PRIVATE)
    return os.fdopen(descriptor, "r+b", buffering=0)


def _has_name(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is the one that the name means."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _write_owner(file: IO[bytes]) -> None:
    """Say whose it is, by one write over what was said before: somebody may read it at any time."""
    content = orjson.dumps({**identity(), "since": time.time()}).ljust(_OWNER_BYTES)
    file.seek(0)
    file.write(content)
    file.truncate(len(content))


def _owner_in(file: IO[bytes]) -> Mapping[str, Any]:
    """What an owner said of itself; nothing if it is damaged, or was not said yet."""
    file.seek(0)
    try:
        values = orjson.loads(file.read())
        return {"host": values["host"], "pid": values["pid"], **values}
    except (ValueError, KeyError, TypeError):
        return {}


def _is_of_this_machine(owner: Mapping[str, Any]) -> bool:
    """Whether it is, or may be: one that said nothing is not known to be elsewhere."""
    if "boot" in owner:
        return is_near(owner)
    return not owner or bool(owner["host"] == socket.gethostname())


def _who(owner: Mapping[str, Any]) -> str:
    return f"process {owner['pid']} on {owner['host']}" if owner else "an unknown process"


def _read_epoch(path: Path) -> int | None:
    """The number of the last owner; None if there was none."""
    with storage_errors(path, "read"):
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
    if not text.strip().isdigit() or len(text) > _DIGITS:
        raise StorageError(
            f"{path} is damaged: it holds {text[:40]!r} instead of a number. Remove that file, if no run "
            "writes there, and run again: owners are then counted from 1"
        )
    return int(text)
