"""Commands that are measured whole, and ended when they take too long."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Finished:
    """Seconds of a command from start to end, and what it printed."""

    seconds: float
    output: str


def finish(command: Sequence[str], seconds: float) -> Finished:
    """Run a command in the root of the repository.

    Raises:
        RuntimeError: it failed, or took longer than ``seconds``; the message ends with what it printed last.
    """
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"took more than {seconds:.0f} s: {' '.join(command)[:200]}") from error
    if done.returncode:
        last = " / ".join(line.strip() for line in done.stdout.strip().splitlines()[-4:])
        raise RuntimeError(f"ended with {done.returncode}: {last}")
    return Finished(time.monotonic() - began, done.stdout)
