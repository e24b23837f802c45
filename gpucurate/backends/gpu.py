"""The GPU of a worker's process."""

from __future__ import annotations

from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.memory.torch_pool import TorchMode
from gpucurate.ops.cuda import CUDA

_open: dict[tuple[int | None, TorchMode | None], GpuMemory] = {}


def worker_memory(limit: int | None, torch: TorchMode | None = None) -> GpuMemory:
    """Memory of this process's GPU; from one phase to the next the same, with what is kept in it.

    Args:
        limit: bytes that the worker may use; a share of what is free on the device if None.
        torch: how torch lives beside it, if stages use it.

    Raises:
        DeviceError: no device, no driver, or packages are missing.
        ConfigurationError: the device has not so much memory.
    """
    key = limit, torch
    if key not in _open:
        close_memory()
        _open[key] = GpuMemory(limit, torch)
    return _open[key]


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
