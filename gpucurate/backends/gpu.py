"""A worker's part of a GPU."""

from __future__ import annotations

from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.cuda import CUDA


class WorkerGpu:
    """The GPU of a worker: set up before its stages, given back after them.

    Args:
        limit: bytes that the worker may use; a share of what is free on the device if None.

    Attributes:
        memory: of the GPU.

    Raises:
        DeviceError: no device, no driver, or packages are missing.
        ConfigurationError: the device has not so much memory.
    """

    def __init__(self, limit: int | None) -> None:
        self.memory = GpuMemory(limit)

    def close(self) -> None:
        """Give everything back.

        Raises:
            LeakError: something of the run is still held.
        """
        CUDA.forget_tables()
        self.memory.close()
