"""Files that are written to their end, and have to reach the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Protocol, TypeAlias

from gpucurate.disk.crash import reach
from gpucurate.spec.storage import storage_errors


class Finished(Protocol):
    """An open file to which nothing is added any more."""

    def fileno(self) -> int:
        """Its descriptor."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


Sync: TypeAlias = Callable[[Finished, PathLike[str]], None]
"""Takes a file over, and sees to it that it is synced and closed: at once, or later in a thread.

Whoever gave the function waits for that, and says that it failed, before the file counts."""


def sync_now(file: Finished, path: PathLike[str]) -> None:
    """Sync a file, and close it whatever comes of that.

    Raises:
        StorageError: disk full, device error: some of it may not be on disk.
    """
    with storage_errors(path):
        try:
            reach("file.before_fsync")
            os.fsync(file.fileno())
            reach("file.after_fsync")
        finally:
            file.close()
