"""Clusters and survivors on a CUDA device: ``kernels/survivors.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.ops.cuda import CUDA, Device


def count_members(labels: Any, device: Device = CUDA) -> Any:
    """See the contract."""
    counts = device.xp.zeros(len(labels), np.uint32)
    arguments = device.xp.ascontiguousarray(labels, np.uint32), np.int64(len(labels)), counts
    device.launch("survivors", "count_members", len(labels), arguments, threads_per_item=1)
    return counts


def choose_survivors(  # noqa: PLR0917 - those of the contract, and where
    labels: Any, first: int, ranks: Any, survivors: Any, best: Any, device: Device = CUDA
) -> None:
    """See the contract."""
    count, contiguous = len(ranks), device.xp.ascontiguousarray
    columns = contiguous(labels, np.uint32), np.int64(first), contiguous(ranks, best.dtype)
    arguments = *columns, np.int64(count), survivors, best
    options = (f"-DRANK_BITS={8 * best.dtype.itemsize}",)
    for kernel in ("raise_best", "name_survivors"):
        device.launch("survivors", kernel, count, arguments, threads_per_item=1, options=options)
