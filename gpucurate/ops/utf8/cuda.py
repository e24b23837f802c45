"""Well-formed UTF-8 on a CUDA device: ``kernels/valid_utf8.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CUDA, Device, device_text


def invalid_utf8(text: TextBuffers, device: Device = CUDA) -> Any:
    """See the contract."""
    arrays = device_text(text, device)
    invalid = device.xp.zeros(len(text), np.bool_)
    size = np.int64(len(arrays.data))
    device.launch("valid_utf8", "valid_utf8", arrays.chunks.total, (*arrays.arguments, size, invalid))
    return invalid
