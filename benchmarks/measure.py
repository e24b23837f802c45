"""Run a command and measure the whole tree of its processes."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gpucurate.memory.host import tree_pss

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """Wall seconds, peak proportional set size of the process tree in bytes, and processor seconds.

    Processor seconds, which other programs disturb less than wall time, are those of the processes
    that were waited for: all, unless one outlives its parent.
    """

    seconds: float
    peak_pss: int
    cpu_seconds: float


def measure(command: Sequence[str]) -> Measured:
    """Run a command to its end.

    Python may keep its byte code, as an installed program has it, also where the caller's may not.

    Raises:
        RuntimeError: it failed; the message carries what it printed.
    """
    began, used = time.monotonic(), _children_seconds()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    peak = 0
    over = threading.Event()

    def sample() -> None:
        nonlocal peak
        while not over.wait(SAMPLE_SECONDS):
            peak = max(peak, tree_pss(process.pid))

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    output, _ = process.communicate()
    seconds = time.monotonic() - began
    over.set()
    sampler.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output}")
    return Measured(seconds, peak, _children_seconds() - used)


def _children_seconds() -> float:
    """Processor seconds of all processes below this one that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
