"""Errors of the operating system as errors that name the path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from gpucurate.spec.errors import StorageError


@contextmanager
def storage_errors(path: PathLike[str], what: str = "write") -> Iterator[None]:
    """Turn an OSError into a StorageError that names what could not be done, ``path`` and the cause."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot {what} {path}: {error.strerror or error}") from error
