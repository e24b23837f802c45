"""A worker's part of a GPU."""

from __future__ import annotations


class WorkerGpu:
    """Memory of the GPU, set up before a worker's stages and given back after them.

    Args:
        memory: bytes that the worker may use; a share of the device if None.
    """

    def __init__(self, memory: int | None) -> None:
        self.memory = memory

    def close(self) -> None:
        """Give everything back."""
