"""A GPU comes seldom: what has never run on one goes first."""

from __future__ import annotations

import re

from gpucurate.ops.kernels import kernel_names, kernel_source

NEVER = "| never run on a device |"


def kernels_that_never_ran(page: str) -> set[str]:
    """Sources in ``kernels/`` of which a row of docs/gpu-status.md says that some kernel has not run."""
    rows = " ".join(line for line in page.splitlines() if line.endswith(NEVER))
    named = set(re.findall(r"`(\w+)`", rows))
    return {name for name in kernel_names() if named & set(kernels_in(name))}


def kernels_in(source: str) -> list[str]:
    """The kernels of ``kernels/<source>.cu``."""
    return re.findall(r"__global__ void __launch_bounds__\([^)]*\) (\w+)\(", kernel_source(source))


def rank(needs_device: bool, kernel: str | None, never_ran: set[str]) -> int:
    """The place of a test: kernels that have never run, others on a device, the rest."""
    if not needs_device:
        return 2
    return 0 if kernel is None or kernel in never_ran else 1
