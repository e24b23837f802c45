"""What this process holds of the machine, in the time of one system call."""

from __future__ import annotations

import os

import psutil

_PAGE = os.sysconf("SC_PAGE_SIZE")
_open: int | None = None


def resident_bytes() -> int:
    """Bytes of this process that lie in memory now (proc(5), ``statm``)."""
    global _open  # noqa: PLW0603  a file of the process, as the figure is
    if _open is None:
        try:
            _open = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # no such system
            return int(psutil.Process().memory_info().rss)
    return int(os.pread(_open, 128, 0).split()[1]) * _PAGE


def _forget() -> None:
    """The file is that of the process that opened it: a fork opens its own."""
    global _open  # noqa: PLW0603
    if _open is not None:
        os.close(_open)
        _open = None


os.register_at_fork(after_in_child=_forget)
