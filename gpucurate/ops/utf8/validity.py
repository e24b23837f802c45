"""Well-formed UTF-8 on the CPU (RFC 3629; table 3-7 of the Unicode Standard)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import text_arrays
from gpucurate.ops.compiled import kernel

_SPAN = 64
"""Bytes that are looked at together for being ASCII."""


def invalid_utf8(text: TextBuffers) -> npt.NDArray[np.bool_]:
    """See the contract."""
    invalid = np.empty(len(text), np.bool_)
    _invalid_documents(*text_arrays(text), invalid)
    return invalid


@kernel
def _invalid_documents(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], invalid: npt.NDArray[np.bool_]
) -> None:
    for i in range(len(invalid)):
        invalid[i] = not _is_valid(data, offsets[i], offsets[i + 1])


@kernel
def _is_valid(data: npt.NDArray[np.uint8], at: int, stop: int) -> bool:
    """Whether ``data[at:stop]`` is UTF-8: spans of ASCII are passed over as a whole."""
    while at < stop:
        end = min(at + _SPAN, stop)
        if _is_ascii(data[at:end]):
            at = end
            continue
        while at < end:
            length = 1 if data[at] < 0x80 else sequence_length(data, at, stop)
            if length == 0:
                return False
            at += length
    return True


@kernel
def _is_ascii(span: npt.NDArray[np.uint8]) -> bool:
    seen = np.uint8(0)
    for k in range(len(span)):
        seen |= span[k]
    return bool(seen < 0x80)


@kernel
def sequence_length(data: Any, i: int, stop: int) -> int:
    """Bytes of the well-formed UTF-8 sequence of a non-ASCII character at ``i``, or 0."""
    c = data[i]
    if c < 0xC2 or c > 0xF4:
        return 0
    length = 2 if c < 0xE0 else 3 if c < 0xF0 else 4
    if i + length > stop:
        return 0
    low, high = 0x80, 0xBF
    if c == 0xE0:
        low = 0xA0  # else overlong
    elif c == 0xED:
        high = 0x9F  # else a surrogate
    elif c == 0xF0:
        low = 0x90  # else overlong
    elif c == 0xF4:
        high = 0x8F  # else beyond U+10FFFF
    if data[i + 1] < low or data[i + 1] > high:
        return 0
    for k in range(2, length):
        if data[i + k] & 0xC0 != 0x80:
            return 0
    return length
