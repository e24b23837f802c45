"""Keys that a worker took and that stay on its GPU until they are grouped."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.dedup.resident_keys import KeyPiece, ResidentKeys
from gpucurate.frame.transfers import array_module
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


def one_piece(pieces: Sequence[KeyPiece]) -> KeyPiece:
    """The keys of a unit's batches in two arrays: grouping copies each piece on its own, band by band.

    Args:
        pieces: at least one.
    """
    if len(pieces) == 1:
        return pieces[0]
    xp = array_module()
    ids, keys = [piece.ids for piece in pieces], [piece.keys for piece in pieces]
    return KeyPiece(xp.concatenate(ids), xp.concatenate(keys, axis=1))
