"""A worker's part of a GPU."""

from __future__ import annotations

from gpucurate.memory.gpu_pool import GpuPool, open_gpu_pool


class WorkerGpu:
    """Memory of the GPU: set up before a worker's stages, given back after them.

    Args:
        memory: bytes that the worker may use; a share of what is free on the device if None.

    Raises:
        DeviceError: no device, no driver, or packages are missing.
        ConfigurationError: the device has not so much memory.
    """

    def __init__(self, memory: int | None) -> None:
        self.pool: GpuPool = open_gpu_pool(memory)

    def close(self) -> None:
        """Give everything back.

        Raises:
            LeakError: something of the run is still held.
        """
        self.pool.close()
