"""Length in code points: the bytes that do not continue a character."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation


def char_length(text: TextBuffers) -> npt.NDArray[np.int64]:
    """Code points of each document, int64 of length n; 0 for null.

    Example:
        >>> char_length(TextBuffers.from_strings(["né", "", None])).tolist()
        [2, 0, 0]
    """
    lengths: npt.NDArray[np.int64] = implementation(__package__, text.data).char_length(text)
    return lengths
