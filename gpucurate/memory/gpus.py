"""Which GPUs this process may use, by the names that another process finds them by."""

from __future__ import annotations

import os
from importlib.util import find_spec

from gpucurate.spec.errors import DeviceError

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable that the CUDA driver reads when a process first uses it."""


def visible_gpus() -> list[str]:
    """Names of the GPUs, as ``CUDA_VISIBLE_DEVICES`` lists them; none where kernels cannot run.

    No context is made on any of them.
    """
    if find_spec("cupy") is None:
        return []
    import cupy

    if not cupy.cuda.is_available():
        return []
    count = cupy.cuda.runtime.getDeviceCount()
    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return named[:count] if named else [str(number) for number in range(count)]


def gpu_sizes() -> dict[str, int]:
    """Bytes of memory of each of these GPUs, by name; no context is made on any."""
    names = visible_gpus()
    if not names:
        return {}
    import cupy

    properties = cupy.cuda.runtime.getDeviceProperties
    return {name: int(properties(number)["totalGlobalMem"]) for number, name in enumerate(names)}


_used: list[str] = []


def use_gpu(name: str) -> None:
    """Let this process see one GPU, which becomes its device 0; before anything uses CUDA.

    Raises:
        DeviceError: it sees another one already.
    """
    if _used and _used != [name]:
        raise DeviceError(f"this process uses GPU {_used[0]}, and was told to use {name}")
    _used[:] = [name]
    os.environ[VISIBLE] = name
