"""The GPU of a worker's process."""

from __future__ import annotations

from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.cuda import CUDA

_open: dict[int | None, GpuMemory] = {}


def worker_memory(limit: int | None) -> GpuMemory:
    """Memory of this process's GPU; from one phase to the next the same, with what is kept in it.

    Args:
        limit: bytes that the worker may use; a share of what is free on the device if None.

    Raises:
        DeviceError: no device, no driver, or packages are missing.
        ConfigurationError: the device has not so much memory.
    """
    if limit not in _open:
        close_memory()
        _open[limit] = GpuMemory(limit)
    return _open[limit]


def check_memory(memory: GpuMemory) -> None:
    """Make sure that the stages of a phase have left nothing on the GPU but what is to be kept.

    Raises:
        LeakError: they have.
    """
    CUDA.forget_tables()
    memory.check()


def close_memory() -> None:
    """Give back all memory of this process's GPU, if any was taken.

    Raises:
        LeakError: something is still held.
    """
    CUDA.forget_tables()
    while _open:
        _open.popitem()[1].close()
