"""Commands on given cores, and what kind of machine they run on."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pinned(cores: list[int], python: Path | str, module: str, *arguments: object) -> list[str]:
    """The command that runs a module of this repository on some cores.

    Raises:
        RuntimeError: there is no ``taskset``.
    """
    if shutil.which("taskset") is None:
        raise RuntimeError("taskset is needed to give every program the same cores: install util-linux")
    on_cores = ["taskset", "--cpu-list", ",".join(map(str, cores))]
    return ["env", f"PYTHONPATH={ROOT}", *on_cores, str(python), "-m", module, *map(str, arguments)]


def cores(count: int) -> list[int]:
    """The last cores this process may use; the first ones serve interrupts."""
    return sorted(os.sched_getaffinity(0))[-count:]


def machine() -> str:
    """Processor, Python and load of this machine, for the head of a report."""
    model = _field("model name") or platform.machine()
    vectors = (
        "AVX-512" if "avx512bw" in _field("flags") else "AVX2" if "avx2" in _field("flags") else "no AVX2"
    )
    return f"{model} ({vectors}), {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def load() -> str:
    """The load average of the last minute."""
    return f"{os.getloadavg()[0]:.2f}"


def _field(name: str) -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
