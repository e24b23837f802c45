"""Errors of the operating system as errors that name the path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from gpucurate.spec.errors import StorageError


@contextmanager
def storage_errors(path: PathLike[str]) -> Iterator[None]:
    """Turn an OSError of writing into a StorageError that names ``path`` and the cause."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
