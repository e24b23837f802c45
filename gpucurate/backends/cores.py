"""Cores that a run may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Cores that this process may run on: by its affinity, or its container's quota if that is less.

    Args:
        quota: the control group's file of two numbers, microseconds of CPU and of a period.
    """
    allowed = len(os.sched_getaffinity(0))
    try:
        share, period = quota.read_text().split()
    except (OSError, ValueError):
        return allowed  # no such control group, or an older one
    return allowed if share == "max" else max(1, min(allowed, math.ceil(int(share) / int(period))))
