"""JSON lines on a CUDA device: ``kernels/json_lines.cu``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpucurate.ops.cuda import CUDA, Device, prefix_sums
from gpucurate.ops.json_lines.contract import DEEPEST, ESCAPED, KIND, PLAIN, SIZE
from gpucurate.ops.json_lines.keys import joined_keys


def find_lines(data: Any, device: Device = CUDA) -> tuple[Any, Any, Any]:
    """See the contract."""
    xp = device.xp
    data = xp.ascontiguousarray(data, np.uint8)
    chunks = -(-len(data) // device.chunk_bytes)
    pieces = data, np.int64(len(data)), np.int64(chunks), np.int32(device.chunk_bytes)
    counts = xp.empty(chunks, np.int32)
    device.launch("json_lines", "count_lines", chunks, (*pieces, counts))
    places = prefix_sums(device, counts)
    n = int(places[-1])
    starts, stops, blank = xp.empty(n, np.int64), xp.empty(n, np.int64), xp.empty(n, np.bool_)
    device.launch("json_lines", "write_lines", chunks, (*pieces, places, starts, stops))
    lines = data, np.int64(len(data)), starts, stops, np.int64(n)
    device.launch("json_lines", "mark_blank", n, (*lines, blank))
    return starts, stops, blank


def scan_fields(
    data: Any,
    starts: Any,
    stops: Any,
    fields: Sequence[str],
    *,
    max_depth: int,
    only: bool = False,
    device: Device = CUDA,
) -> tuple[Any, Any]:
    """See the contract."""
    xp, n = device.xp, len(starts)
    found, passed = xp.zeros((n, len(fields), 4), np.int64), xp.empty(n, np.bool_)
    keys = [device.to_device(each) for each in joined_keys(fields)]
    places = xp.ascontiguousarray(starts, np.int64), xp.ascontiguousarray(stops, np.int64)
    lines = xp.ascontiguousarray(data, np.uint8), np.int64(len(data)), *places, np.int64(n)
    limits = np.int32(len(fields)), np.int32(only), np.int32(max(0, min(max_depth, DEEPEST)))
    device.launch("json_lines", "scan_fields", n, (*lines, *keys, *limits, found, passed))
    return found, passed


def copy_strings(data: Any, found: Any, device: Device = CUDA) -> tuple[Any, Any, Any]:
    """See the contract."""
    xp, rows = device.xp, np.int64(len(found))
    valid = (found[:, KIND] == PLAIN) | (found[:, KIND] == ESCAPED)
    offsets = prefix_sums(device, xp.where(valid, found[:, SIZE], 0))
    out = xp.empty(int(offsets[-1]), np.uint8)
    data, found = xp.ascontiguousarray(data, np.uint8), xp.ascontiguousarray(found, np.int64)
    arguments = data, np.int64(len(data)), found, rows, offsets, out
    device.launch("json_lines", "copy_strings", len(found), arguments)
    return out, offsets, valid
