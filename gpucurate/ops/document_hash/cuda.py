"""Document hash on a CUDA device: ``kernels/document_hash.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CUDA, Device, device_text


def document_hash(text: TextBuffers, device: Device = CUDA) -> Any:
    """See the contract. ``device.chunk_bytes`` must divide 65,536, and 8 divide it."""
    xp = device.xp
    arrays = device_text(text, device)
    valid = None if text.valid is None else xp.ascontiguousarray(text.valid).view(np.uint8)
    hashes = xp.empty((len(text), 2), np.uint64)
    sums = xp.zeros((arrays.chunks.total, 2), np.uint64)
    finished = xp.zeros(len(text), np.uint32)
    device.launch(
        "document_hash",
        "document_hash",
        arrays.chunks.total,
        (*arrays.arguments, valid, sums, finished, hashes),
    )
    return hashes
