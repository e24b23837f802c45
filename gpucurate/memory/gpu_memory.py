"""What a worker has of a GPU's memory, and all that keeps it within its limit."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar, cast

from gpucurate.memory.budget import Budget
from gpucurate.memory.gpu_pool import SHARE, open_gpu_pool
from gpucurate.memory.piece_size import PieceSize
from gpucurate.memory.pinned import PinnedRing
from gpucurate.memory.pinned_room import PinnedRoom
from gpucurate.memory.pressure import Pressure
from gpucurate.memory.relief import Relief
from gpucurate.memory.spilling import Spillable, SpillRegistry
from gpucurate.memory.splitting import in_parts
from gpucurate.memory.stage_memory import StageMemory
from gpucurate.memory.torch_pool import TorchMode, release_torch_cache, share_with_torch
from gpucurate.spec.errors import LeakError

Batch = TypeVar("Batch")
Result = TypeVar("Result")
Kept = TypeVar("Kept", bound=Spillable)

ROOM_SLOTS = 4
"""Buffers on their way: one is read, one waits, one is sent, one is looked at."""


class GpuMemory:
    """The pool of a worker with its budget, its spills, and its answers to too little memory.

    Args:
        limit: bytes; None for a share of what is free on the device.
        torch: how torch lives beside it, where stages use it: ``separate`` gives each half of the limit,
            ``rmm`` lets torch take the pool's; None where none does.

    Attributes:
        pool: what all allocations come from; its limit holds.
        budget: what is reserved before it is allocated.
        spills: what can give memory back.

    Raises:
        ConfigurationError: the device has not so much memory.
        DeviceError: no device, no driver, or packages are missing.
    """

    def __init__(self, limit: int | None, torch: TorchMode | None = None) -> None:
        self.spills = SpillRegistry()
        parts = 2 if torch == "separate" else 1
        share = SHARE / parts
        self.pool = open_gpu_pool(None if limit is None else limit // parts, share, spills=self.spills)
        if torch is not None:
            self._share(torch)
        self.budget = Budget(self.pool.limit)
        self._relief = Relief(self.pool, Pressure(self.pool.limit), self.spills.free)
        self._kept: dict[str, Spillable] = {}
        self._room: PinnedRoom | None = None

    def _share(self, torch: TorchMode) -> None:
        try:
            share_with_torch(torch, None if torch == "rmm" else self.pool.limit)
        except BaseException:
            self.pool.close()
            raise

    def room(self, nbytes: int) -> PinnedRoom:
        """Page-locked host memory for what is on its way to the GPU, in buffers of so many bytes.

        It is taken once, for the largest buffers asked for, and kept as long as the worker.
        """
        if self._room is None or nbytes > self._room.slot_bytes:
            self._room = PinnedRoom(PinnedRing(ROOM_SLOTS, nbytes), nbytes)
        return self._room

    @property
    def free(self) -> int:
        """Bytes that can still be allocated."""
        return self.pool.limit - self.pool.current_bytes

    def kept(self, name: str, make: Callable[[], Kept]) -> Kept:
        """What stays on the GPU under this name, from one phase to the next; made if it is not there.

        It is spilled when memory gets tight, and dropped when the worker ends.
        """
        if name not in self._kept:
            self._kept[name] = make()
        self.spills.register(self._kept[name])  # as used just now
        return cast(Kept, self._kept[name])

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
        self._kept.clear()
        self.pool.close()

    def check(self) -> None:
        """Make sure that nothing is held but what is kept.

        Raises:
            LeakError: something else is.
        """
        kept = sum(item.nbytes for item in self._kept.values())
        if self.pool.current_bytes > kept:
            gc.collect()  # arrays in cycles
        if (held := self.pool.current_bytes - kept) > 0:
            raise LeakError(
                f"after its units a worker holds {held:,} bytes of GPU memory beside the {kept:,} that are "
                "kept: drop every array of a unit before it ends"
            )
