"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path

from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report, in_short
from gpucurate.backends.cores import usable_cores
from gpucurate.memory.host import available_memory
from gpucurate.spec.bytesize import format_bytes

PACKAGES = ("cupy-cuda13x", "cudf-cu13", "rmm-cu13", "numpy", "numba", "pyarrow")


def run(plan: Plan, report: Report) -> None:
    """The device, the host, versions; each a row of words."""
    facts: tuple[tuple[str, Callable[[], str]], ...] = (
        ("GPU", gpu),
        ("host", host),
        ("packages", packages),
        ("commit", commit),
        ("folder", lambda: folder(plan.folder)),
    )
    for name, fact in facts:
        report.attempt(name, partial(_told, report, name, fact))


def _told(report: Report, name: str, fact: Callable[[], str]) -> None:
    report.row(name, note=fact())


def gpu() -> str:
    """Its name, memory, architecture, and the versions of driver and CUDA."""
    import cupy

    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(runtime.getDevice())
    free, total = runtime.memGetInfo()
    return (
        f"{properties['name'].decode()}, sm_{properties['major']}{properties['minor']}, "
        f"{properties['multiProcessorCount']} multiprocessors, "
        f"{format_bytes(free)} of {format_bytes(total)} free, "
        f"driver {runtime.driverGetVersion()}, runtime {runtime.runtimeGetVersion()}"
    )


def host() -> str:
    """Cores and memory."""
    memory, load = format_bytes(int(available_memory())), os.getloadavg()[0]
    python = f"Python {platform.python_version()}"
    return f"{usable_cores()} cores of {processor()}, {memory} free, load {load:.1f}, {python}"


def processor() -> str:
    """Its name, as Linux tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def packages() -> str:
    """Versions of what was measured."""
    return ", ".join(f"{name} {version(name)}" for name in PACKAGES)


def version(package: str) -> str:
    """Of a package, or that it is absent."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


def commit() -> str:
    """Of the working tree, where there is one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=7"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"unknown ({in_short(error)})"


def folder(path: Path) -> str:
    """What kind of file system the corpus lies on."""
    longest, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, of_kind, *_ = line.split()
        if path.resolve().is_relative_to(place) and len(place) >= len(longest):
            longest, kind = place, of_kind
    return f"{kind} at {longest}"
