"""Bytes that should be UTF-8 and are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

REPLACED = "bytes that are not UTF-8 were replaced by U+FFFD"
"""What is noted of a file in which some were."""

Bytes = npt.NDArray[np.uint8]


def is_utf8(data: Bytes) -> bool:
    """Whether ``data`` (uint8) is UTF-8."""
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(data)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def mended(data: Bytes) -> Bytes:
    """``data`` with U+FFFD for what is no UTF-8; ends of lines stay, wherever a sequence breaks off."""
    # A copy, which can be written to: kernels want that.
    return np.frombuffer(mended_text(data.tobytes()), np.uint8).copy()


def mended_text(text: bytes) -> bytes:
    """As :func:`mended`, of one text."""
    return text.decode("utf-8", "replace").encode()
