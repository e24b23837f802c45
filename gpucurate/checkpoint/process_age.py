"""Whether a process of this machine is the one that it was."""

from __future__ import annotations

import psutil


def started(pid: int) -> float | None:
    """When a process started, in seconds; None if there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def is_running(pid: int, since: float | None) -> bool:
    """Whether the process is there, and started then; numbers of processes are given out again.

    Args:
        pid: its number.
        since: when it started; None if that is not known.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return since is None or abs(process.create_time() - since) < 1.0
    except psutil.NoSuchProcess:
        return False
