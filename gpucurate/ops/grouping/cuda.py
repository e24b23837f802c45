"""Sorting on a CUDA device: the radix sort of CuPy (Thrust), which is stable."""

from __future__ import annotations

from typing import Any

from gpucurate.ops.cuda import CUDA, Device


def sort_pairs(
    keys: Any, ids: Any, keys_scratch: Any, ids_scratch: Any, device: Device = CUDA
) -> tuple[Any, Any]:
    """See the contract; all four of one length. Takes 8 bytes a pair of its own, for the order."""
    order = device.xp.argsort(keys, kind="stable")
    device.xp.take(keys, order, out=keys_scratch)
    device.xp.take(ids, order, out=ids_scratch)
    return keys_scratch, ids_scratch


def sort_hashes(hashes: Any, ids: Any, device: Device = CUDA) -> tuple[Any, Any, Any]:
    """See the contract."""
    return sort_columns(hashes[:, 0], hashes[:, 1], ids, device)


def sort_columns(high: Any, low: Any, ids: Any, device: Device = CUDA) -> tuple[Any, Any, Any]:
    """As ``sort_hashes``, of the two words of each hash (uint64[n] each)."""
    xp = device.xp
    by_low = xp.argsort(low, kind="stable")
    order = by_low[xp.argsort(high[by_low], kind="stable")]
    return high[order], low[order], ids[order]
