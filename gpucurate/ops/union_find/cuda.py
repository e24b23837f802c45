"""Union-find on a CUDA device: ``kernels/union_find.cu`` and ``kernels/equal_keys.cu``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from gpucurate.ops.cuda import CUDA, Device
from gpucurate.ops.grouping.cuda import sort_columns, sort_pairs

PREFIX_BITS = 32
"""Keys are sorted by so many bits of a mix of them."""

SCAN_LIMIT = 64
"""How many keys of the same prefix are compared with one before it is listed."""

LISTED_SHARE, LEAST_LISTED = 64, 1024
"""One in so many keys may be listed, and in any case so many: of hashes, fewer are."""

HOOK_EQUAL_BYTES = 16
"""Bytes a key that ``hook_equal`` takes: a prefix with its place, and as much for the sort of these. Assumed
from CuPy's source: ``sort`` works in place, and Thrust's radix sort of n words takes n words more. What is
listed takes less, once the sort has ended."""

_SALT = 0x9E3779B97F4A7C15


def hook_runs(keys: Any, ids: Any, parents: Any, device: Device = CUDA) -> int:
    """See the contract."""
    columns = _column(device, keys, np.uint64), _column(device, ids, np.uint32)
    return _hook("hook_runs", columns, parents, device)


def hook_runs128(high: Any, low: Any, ids: Any, parents: Any, device: Device = CUDA) -> int:
    """See the contract."""
    words = _column(device, high, np.uint64), _column(device, low, np.uint64)
    return _hook("hook_runs128", (*words, _column(device, ids, np.uint32)), parents, device)


def hook_pairs(left: Any, right: Any, parents: Any, device: Device = CUDA) -> int:
    """See the contract."""
    columns = _column(device, left, np.uint32), _column(device, right, np.uint32)
    return _hook("hook_pairs", columns, parents, device)


def hook_equal(words: Sequence[Any], ids: Any, parents: Any, device: Device = CUDA) -> None:
    """Join the documents of equal keys in any order: as sorting and ``hook_runs``, in less memory and time.

    Keys are sorted by 32 bits of a mix of them, which brings equal ones close together, and each is compared
    with its neighbours; the few that this does not settle are sorted in full.

    Args:
        words: of the keys, one array or two, each uint64[n], contiguous; not changed.
        ids: uint32[n], the document of each key; not changed.
        parents: uint32, one entry a document; updated.
        device: where the arrays lie.
    """
    high, low = words[0], words[1] if len(words) > 1 else None
    listed, salts = None, count()
    while listed is None:
        listed = _hook_close((high, low), ids, parents, device, next(salts))
    if not len(listed):
        return
    if low is None:
        keys, ids = high[listed], ids[listed]
        scratch = device.xp.empty_like(keys), device.xp.empty_like(ids)
        hook_runs(*sort_pairs(keys, ids, *scratch, device), parents, device)
    else:
        hook_runs128(*sort_columns(high[listed], low[listed], ids[listed], device), parents, device)


def flatten(parents: Any, device: Device = CUDA) -> None:
    """See the contract."""
    count = len(parents)
    device.launch("union_find", "flatten", count, (np.int64(count), parents), threads_per_item=1)


def _column(device: Device, array: Any, dtype: type[np.generic]) -> Any:
    return device.xp.ascontiguousarray(array, dtype)


def _hook(kernel: str, columns: tuple[Any, ...], parents: Any, device: Device) -> int:
    merges, count = device.xp.zeros(1, np.uint64), len(columns[0])
    arguments = *columns, np.int64(count), parents, merges
    device.launch("union_find", kernel, count, arguments, threads_per_item=1)
    return int(merges[0])


def _hook_close(words: tuple[Any, Any], ids: Any, parents: Any, device: Device, salt: int) -> Any:
    """Join equal keys that the sort by prefixes brings close together.

    Returns:
        Places of the keys that are to be sorted in full; None if they are too many to be listed.
    """
    xp, keys = device.xp, len(ids)
    options = f"-DPREFIX_BITS={PREFIX_BITS}", f"-DSCAN_LIMIT={SCAN_LIMIT}"
    packed, salted = xp.empty(keys, np.uint64), np.uint64(salt * _SALT % 2**64)
    columns = *words, np.int64(keys), salted, packed
    device.launch("equal_keys", "pack_keys", keys, columns, threads_per_item=1, options=options)
    packed.sort()
    room = keys // LISTED_SHARE + LEAST_LISTED
    places, listed = xp.empty(room, np.uint32), xp.zeros(1, np.uint64)
    arguments = *words, packed, ids, np.int64(keys), parents, places, np.int64(room), listed
    device.launch("equal_keys", "hook_equal", keys, arguments, threads_per_item=1, options=options)
    found = int(listed[0])
    return places[:found] if found <= room else None
