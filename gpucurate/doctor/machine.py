"""The machine, and what is compiled for it."""

from __future__ import annotations

import platform
import resource
from pathlib import Path

import psutil

from gpucurate.doctor.finding import Finding
from gpucurate.memory.host import available_memory
from gpucurate.spec.bytesize import MIB, format_bytes

TOPIC = "machine"
FEWEST_FILES = 1024
LEAST_MEMORY = 1024 * MIB
_VECTORS = (("avx512bw", "AVX-512"), ("avx2", "AVX2"), ("asimd", "NEON"))


def examine_machine(cores: int) -> list[Finding]:
    """System, cores, memory, open files and compiled kernels.

    Args:
        cores: that this process may use.
    """
    return [
        Finding(TOPIC, "system", "ok", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        Finding(TOPIC, "Python", "ok", platform.python_version()),
        Finding(TOPIC, "cores", "ok", f"{cores} usable, {_vectors(Path('/proc/cpuinfo'))}"),
        memory(available_memory(), psutil.virtual_memory().total),
        open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        _kernels(),
    ]


def memory(available: int, total: int) -> Finding:
    """Bytes that are free for a run."""
    detail = f"{format_bytes(available)} of {format_bytes(total)} available"
    if available >= LEAST_MEMORY:
        return Finding(TOPIC, "memory", "ok", detail)
    return Finding(TOPIC, "memory", "wrong", detail, "end other programs, or give --workers 1")


def open_files(limit: int) -> Finding:
    """How many files a process may have open."""
    if limit == resource.RLIM_INFINITY or limit >= FEWEST_FILES:
        return Finding(TOPIC, "open files", "ok", "unlimited" if limit < 0 else f"{limit:,} a process")
    return Finding(TOPIC, "open files", "wrong", f"{limit:,} a process", f"ulimit -n {FEWEST_FILES}")


def _vectors(info: Path) -> str:
    flags = info.read_text().split() if info.exists() else []
    return next((name for flag, name in _VECTORS if flag in flags), "no vector instructions that are used")


def _kernels() -> Finding:
    from gpucurate.ops.warm_up import is_warm

    detail = "compiled" if is_warm() else "not compiled yet: the first run does it, in some ten seconds"
    return Finding(TOPIC, "CPU kernels", "ok", detail)
