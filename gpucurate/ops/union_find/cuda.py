"""Union-find on a CUDA device: ``kernels/union_find.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.ops.cuda import CUDA, Device


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
