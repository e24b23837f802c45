"""Whether the current device computes: a kernel and the memory pool, tried."""

from __future__ import annotations

from collections.abc import Callable

from gpucurate.doctor.finding import Finding
from gpucurate.memory.device import try_pool
from gpucurate.ops.cuda.trial import try_kernel
from gpucurate.spec.bytesize import MIB, format_bytes
from gpucurate.spec.errors import DeviceError

TOPIC = "GPU"
TRIED = 64 * MIB


def examine_device() -> list[Finding]:
    """Compile and run a kernel, and allocate from a pool; takes a second."""
    return [
        _tried("kernels", try_kernel, "compiled and run, equal to the CPU"),
        _tried("memory pool", lambda: try_pool(TRIED), f"{format_bytes(TRIED)} allocated and given back"),
    ]


def _tried(name: str, trial: Callable[[], None], done: str) -> Finding:
    try:
        trial()
    except DeviceError as error:
        return Finding(TOPIC, name, "wrong", str(error).split("\n", 1)[0], "see docs/install.md, GPU")
    return Finding(TOPIC, name, "ok", done)
