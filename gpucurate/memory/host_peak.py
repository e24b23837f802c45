"""The most memory that this process has held since it was last asked."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def resident_memory() -> int:
    """Bytes of this process that lie in memory now."""
    return int(psutil.Process().memory_info().rss)


def reset_peak() -> bool:
    """Begin to look for the peak anew; whether that is possible here (proc(5), ``clear_refs``)."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def peak_memory() -> int | None:
    """The most bytes that lay in memory since :func:`reset_peak`; None where that is not known."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
