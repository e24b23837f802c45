"""Which process an owner is, among those of all machines, and whether it is still there.

Names of machines do not tell them apart: containers and copies of virtual machines share them, and each
has a process of number 1. So an owner also says which start of a kernel it belongs to and which namespace
its number is of; and when it began is counted by that kernel, since the clock of a machine may be set.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_STATE, _STARTED = 0, 19
"""Fields of ``/proc/PID/stat`` after the name of the program (proc_pid_stat(5)): 3 and 22 of all."""


def identity() -> dict[str, Any]:
    """What tells this process from all others; what the system does not say is left out.

    ``host`` and ``pid``; ``boot``, the id of this start of the kernel; ``pids``, the inode of the namespace
    that the number is of; ``ticks``, when it began, in ticks of the kernel since it did.
    """
    told: dict[str, Any] = {"host": socket.gethostname(), "pid": os.getpid()}
    with suppress(OSError):
        if os.fspath(Path("/proc/self").readlink()) != str(os.getpid()):
            return told  # it shows the processes of another namespace
        fields = _fields(os.getpid())
        told["boot"] = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        told["pids"] = Path("/proc/self/ns/pid").stat().st_ino
        told["ticks"] = int(fields[_STARTED])
    return told


def is_near(owner: Mapping[str, Any]) -> bool:
    """Whether an owner's process, if it is there, is one that this process can see."""
    own = identity()
    return all(key in owner and owner[key] == own.get(key) for key in ("host", "boot", "pids"))


def is_alive(owner: Mapping[str, Any]) -> bool | None:
    """Whether an owner is there; numbers of processes are given out again.

    Args:
        owner: what :func:`identity` said in its process.

    Returns:
        None where that cannot be seen from here: on another machine, in another container, or of an owner
        that did not say enough, as those of earlier versions.
    """
    if not is_near(owner) or "ticks" not in owner:
        return None
    try:
        fields = _fields(owner["pid"])
    except PermissionError:
        return None
    return bool(fields) and fields[_STATE] not in "ZX" and int(fields[_STARTED]) == owner["ticks"]


def _fields(pid: int) -> list[str]:
    """What the kernel says of a process; nothing if there is none.

    Raises:
        PermissionError: there is one, and this user may not look at it.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        with suppress(ProcessLookupError, OverflowError):  # the last of a number that no process has
            os.kill(pid, 0)  # where processes of others are hidden
        return []
