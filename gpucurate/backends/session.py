"""Where what crosses between processes of this machine lies; nothing of it outlives the run for long."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# What is made there is made by mkdtemp.
SHARED = Path("/dev/shm")  # nosec B108


class Room(NamedTuple):
    """Where there is room for what crosses, and for how much."""

    folder: Path
    nbytes: int


def scratch_room(nbytes: int, *, on_disk: bool = False) -> Room:
    """Shared memory if ``nbytes`` are free there, else the folder for temporary files.

    Args:
        nbytes: bytes of memory that may be taken.
        on_disk: give disk, and half of what is free there: for what does not go through memory.
    """
    if not on_disk and _free(SHARED) >= nbytes and os.access(SHARED, os.W_OK):
        return Room(SHARED, nbytes)
    disk = Path(tempfile.gettempdir())
    free = _free(disk) // 2
    return Room(disk, free if on_disk else min(nbytes, free))


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0  # a system without shared memory


class Session:
    """A folder that is this process's alone, removed at its end.

    It is locked while its owner lives, so that the next one on the machine removes what a killed process
    has left behind; a process number would not do, since those of another container mean nothing here.

    Args:
        root: where it is made.
    """

    def __init__(self, root: Path) -> None:
        for place in {root, *_places()}:
            sweep(place)
        fresh = Path(tempfile.mkdtemp(prefix=f".{_prefix()}{os.getpid()}-", dir=root))
        self._lock = os.open(fresh, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = fresh.with_name(fresh.name.removeprefix("."))
        fresh.rename(self.path)  # only now may it be found, since it is locked only now

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep(root: Path) -> None:
    """Remove folders of processes of this user that are no more."""
    for path in root.glob(f"{_prefix()}*"):
        with suppress(OSError):  # another process was there first, or uses it
            _remove_if_free(path)


def _remove_if_free(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(folder)


def _places() -> list[Path]:
    return [SHARED, Path(tempfile.gettempdir())]


def _prefix() -> str:
    return f"gpucurate-{os.getuid()}-"
