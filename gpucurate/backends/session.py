"""Where what crosses between processes of this machine lies; nothing of it outlives the run for long."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil

SHARED = Path("/dev/shm")
_PREFIX = "gpucurate-"


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

    Its name tells whose it is, so that the next one on the machine removes what a killed process
    has left behind.

    Args:
        root: where it is made.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / f"{_PREFIX}{os.getuid()}-{os.getpid()}-{_started(os.getpid())}"
        sweep(root)
        self.path = Path(tempfile.mkdtemp(prefix=f"{self.path.name}-", dir=root))

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove folders of processes of this user that are no more."""
    for path in root.glob(f"{_PREFIX}{os.getuid()}-*"):
        parts = path.name.removeprefix(_PREFIX).split("-")
        if len(parts) == 4 and parts[1].isdigit() and _started(int(parts[1])) != parts[2]:
            shutil.rmtree(path, ignore_errors=True)


def _started(pid: int) -> str:
    """When a process began, so that its number alone, which comes again, does not name it."""
    try:
        return f"{psutil.Process(pid).create_time():.2f}".replace(".", "_")
    except psutil.Error:
        return ""
