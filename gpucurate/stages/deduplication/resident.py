"""Keys that a worker took and that stay on its GPU until they are grouped."""

from __future__ import annotations

from gpucurate.dedup.resident_keys import ResidentKeys
from gpucurate.memory.gpu_memory import GpuMemory

RESIDENT_SHARE = 0.5
"""Of the pool: the other half is for batches, and for sorting."""


def resident_keys(memory: GpuMemory | None) -> ResidentKeys | None:
    """The keys of the worker with this memory; None without a GPU.

    They outlive a phase: the one that takes keys fills the store, the one that groups them reads it. Each
    unit's keys are in its key file too, so that they can be dropped at any time.
    """
    if memory is None:
        return None
    return memory.kept("keys", lambda: ResidentKeys(int(memory.pool.limit * RESIDENT_SHARE)))
