"""File operations that survive a crash: each returns when the disk has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpucurate.spec.errors import StorageError


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an operating system error into one that names the path and the cause."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error} (errno {error.errno})") from error


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create a folder and its parents.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=mode)


def write_atomic(path: Path, content: bytes) -> None:
    """Write a small file by a temporary name, fsync, rename.

    Raises:
        StorageError: disk full, no permission, device error.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def publish(attempt: Path, final: Path) -> None:
    """Rename a finished attempt, already synced by its writer, to its final name.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        attempt.replace(final)
        fsync_folder(final.parent)
