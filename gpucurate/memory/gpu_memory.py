"""What a worker has of a GPU's memory, and all that keeps it within its limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from gpucurate.memory.budget import Budget
from gpucurate.memory.gpu_pool import open_gpu_pool
from gpucurate.memory.piece_size import PieceSize
from gpucurate.memory.pressure import Pressure
from gpucurate.memory.relief import Relief
from gpucurate.memory.spilling import SpillRegistry
from gpucurate.memory.splitting import in_parts
from gpucurate.memory.stage_memory import StageMemory
from gpucurate.memory.torch_pool import release_torch_cache

Batch = TypeVar("Batch")
Result = TypeVar("Result")


class GpuMemory:
    """The pool of a worker with its budget, its spills, and its answers to too little memory.

    Args:
        limit: bytes; None for a share of what is free on the device.

    Attributes:
        pool: what all allocations come from; its limit holds.
        budget: what is reserved before it is allocated.
        spills: what can give memory back.

    Raises:
        ConfigurationError: the device has not so much memory.
        DeviceError: no device, no driver, or packages are missing.
    """

    def __init__(self, limit: int | None) -> None:
        self.spills = SpillRegistry()
        self.pool = open_gpu_pool(limit, spills=self.spills)
        self.budget = Budget(self.pool.limit)
        self._relief = Relief(self.pool, Pressure(self.pool.limit), self.spills.free)

    def admits(self, in_flight: int) -> bool:
        """Relieve the pool if it is above its soft limit; whether another batch may begin."""
        return self._relief.admits(in_flight)

    def counting(self, stage: str) -> AbstractContextManager[StageMemory]:
        """Count what is held while a stage is running."""
        return self.pool.counting(stage)

    def release(self) -> None:
        """Give back what is idle, of torch too."""
        release_torch_cache()
        self.pool.trim()

    def in_parts(
        self,
        work: Callable[[Batch], Result],
        batch: Batch,
        halve: Callable[[Batch], tuple[Batch, Batch] | None],
        join: Callable[[Sequence[Result]], Result],
        *,
        size: Callable[[Batch], int],
        learned: PieceSize,
    ) -> Result:
        """Do a batch whole, or in halves where memory runs out; see ``gpucurate.memory.splitting.in_parts``.

        Raises:
            OverBudgetError: a part that cannot be halved does not fit.
        """
        return in_parts(work, batch, halve, join, size=size, release=self.release, learned=learned)

    def close(self) -> None:
        """Give everything back.

        Raises:
            LeakError: something is still held.
        """
        self.pool.close()
