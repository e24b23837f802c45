"""Normalisation on a CUDA device: ``kernels/normalize.cu``, measured first, then written."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CUDA, Device, DeviceText, device_text, prefix_sums
from gpucurate.ops.unicode import unicode_tables


def normalize(text: TextBuffers, device: Device = CUDA) -> TextBuffers:
    """See the contract."""
    xp = device.xp
    arrays = device_text(text, device)
    unicode = unicode_tables()
    tables = device.table(unicode.normal_stage1), device.table(unicode.normal_stage2)
    lengths = xp.empty(arrays.chunks.total, np.int32)
    trailing = xp.empty(len(text), np.uint8)
    device.launch(
        "normalize",
        "normalize_measure",
        arrays.chunks.total,
        (*arrays.arguments, *tables, lengths, trailing),
    )
    positions, offsets = _places(device, arrays, lengths, trailing)
    out = xp.empty(int(offsets[-1]), np.uint8)
    device.launch(
        "normalize",
        "normalize_write",
        arrays.chunks.total,
        (*arrays.arguments, *tables, positions, offsets, out),
    )
    return TextBuffers(out, offsets, text.valid)


def _places(device: Device, arrays: DeviceText, lengths: Any, trailing: Any) -> tuple[Any, Any]:
    """Bytes before each chunk (int64[total+1]), and offsets of the documents without trailing spaces."""
    positions = prefix_sums(device, lengths)
    nbytes = device.xp.diff(positions[arrays.chunks.first])
    return positions, prefix_sums(device, device.xp.maximum(nbytes - trailing, 0))
