"""File operations that survive a crash: each returns when the disk has it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias

from gpucurate.disk.crash import reach
from gpucurate.spec.storage import storage_errors

_COPY_BYTES = 1 << 20
_ANEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW

PRIVATE = 0o600
"""What lies in a run folder is its owner's alone; outputs follow the umask."""

PRIVATE_FOLDER = 0o700

PUBLIC = 0o666
"""Before the umask."""

SyncFolder: TypeAlias = Callable[[Path], None]
"""Makes the names in a folder durable: at once, or by the time that something relies on them."""


def open_private(path: Path, mode: str, buffering: int = -1) -> IO[Any]:
    """Open a file; one that is made by it is its owner's alone."""
    return open(path, mode, buffering, opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o777, sync_folder: SyncFolder | None = None) -> None:
    """Create a folder and its parents, so that the disk has their names.

    Args:
        folder: to be made, unless it is there.
        mode: of it; parents get what is usual.
        sync_folder: of those that have new names; at once if None.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(folder):
        for above in _make_parents(folder, mode)[1:]:
            if os.access(above, os.R_OK):  # one may write to a folder that one may not open
                (sync_folder or fsync_folder)(above)


def make_passing_folder(folder: Path) -> None:
    """Create a folder and its parents that nothing on disk relies on: a loss of power may take them.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(folder):
        _make_parents(folder)


def write_atomic(
    path: Path, content: bytes, permissions: int = PRIVATE, sync_folder: SyncFolder | None = None
) -> None:
    """Write a small file by a temporary name, fsync, rename.

    Args:
        path: of the file.
        content: of it.
        permissions: before the umask.
        sync_folder: that the file is in; at once if None.

    Raises:
        StorageError: disk full, no permission, device error.
    """
    _write_named(path, content, permissions)
    with storage_errors(path):
        (sync_folder or fsync_folder)(path.parent)


def write_together(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write small files of one folder, each whole or not at all, and sync the folder once.

    Args:
        files: (path, content) pairs; they get their names in this order.

    Raises:
        StorageError: disk full, no permission, device error.
    """
    for path, content in files:
        _write_named(path, content, PRIVATE)
    for folder in dict.fromkeys(path.parent for path, _ in files):
        with storage_errors(folder):
            fsync_folder(folder)


def _write_named(path: Path, content: bytes, permissions: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path):
        try:
            reach("small.before_write")
            with os.fdopen(os.open(temporary, _ANEW, permissions), "wb") as file:
                file.write(content)
                file.flush()
                reach("small.before_fsync")
                if content:  # an empty file has a name, which its folder's fsync is for, and nothing to lose
                    os.fsync(file.fileno())
            reach("small.before_rename")
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        reach("small.after_rename")


def remove_temporaries(folder: Path) -> None:
    """Remove what writers that were killed left in a folder; whoever calls holds its lock.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(folder, "clean"):
        for path in folder.glob(".*.tmp"):
            if path.stem.rpartition(".")[2].isdigit() and path.is_file():
                path.unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, and who may read it, under a name that nobody looks for yet, and sync the copy.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(target), source.open("rb") as given, target.open("wb") as copy:
        os.fchmod(copy.fileno(), os.fstat(given.fileno()).st_mode & PUBLIC)
        shutil.copyfileobj(given, copy, _COPY_BYTES)
        copy.flush()
        os.fsync(copy.fileno())


def _move(attempt: Path, final: Path, copying: Path | None) -> None:
    try:
        attempt.replace(final)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = final.with_name(f".{final.name}.{os.getpid()}.tmp")  # the state lies on another disk
        if copying is not None:
            write_atomic(copying, os.fsencode(near))
        copy_file(attempt, near)
        near.replace(final)
        attempt.unlink()


def remove_copy(copying: Path) -> None:
    """Remove the half of a copy that :func:`publish` was killed at, and what tells of it.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(copying, "clean up after"):
        if copying.exists():
            Path(os.fsdecode(copying.read_bytes())).unlink(missing_ok=True)
            copying.unlink()


def publish(attempts: Sequence[tuple[Path, Path]], copying: Path | None = None) -> None:
    """Rename finished attempts, already synced by their writers, to their final names.

    From another disk they are copied beside those first.

    Args:
        attempts: (attempt, final name) pairs.
        copying: a file that is to tell of a copy before it is begun, for :func:`remove_copy`.

    Raises:
        StorageError: not possible.
    """
    folders: dict[Path, None] = {}
    for attempt, final in attempts:
        with storage_errors(final):
            folder = final.parent
            if folder not in folders:
                folders.update(dict.fromkeys(_make_parents(folder)))
            reach("publish.before_rename")
            _move(attempt, final, copying)
            reach("publish.after_rename")
    reach("publish.before_fsync_folder")
    for folder in folders:
        with storage_errors(folder):
            fsync_folder(folder)


def _make_parents(folder: Path, mode: int = 0o777) -> list[Path]:
    """Create a folder, and say in which folders there are new names: it, and those above what is new."""
    if folder.is_dir():
        return [folder]
    above = _make_parents(folder.parent)
    try:
        folder.mkdir(mode, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
    return [folder, *above]
