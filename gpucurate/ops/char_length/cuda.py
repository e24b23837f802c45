"""Length in code points on a CUDA device: ``kernels/char_length.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CUDA, Device, device_text


def char_length(text: TextBuffers, device: Device = CUDA) -> Any:
    """See the contract."""
    arrays = device_text(text, device)
    lengths = device.xp.zeros(len(text), np.int64)
    device.launch("char_length", "char_length", arrays.chunks.total, (*arrays.arguments, lengths))
    return lengths
