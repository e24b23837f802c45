"""Length in code points on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import text_arrays
from gpucurate.ops.compiled import kernel


def char_length(text: TextBuffers) -> npt.NDArray[np.int64]:
    """See the contract."""
    lengths = np.empty(len(text), np.int64)
    _char_lengths(*text_arrays(text), lengths)
    return lengths


@kernel
def _char_lengths(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> None:
    for i in range(len(lengths)):
        count = 0
        for byte in data[offsets[i] : offsets[i + 1]]:
            count += (byte & 0xC0) != 0x80
        lengths[i] = count
