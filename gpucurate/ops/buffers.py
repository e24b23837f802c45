"""Arrays as the compiled functions expect them, so that each is compiled exactly once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers


class TextArrays(NamedTuple):
    """Text of ``n`` documents as read-only, contiguous, aligned arrays."""

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]


def read_only(array: npt.NDArray[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """A read-only contiguous view of ``array``; a copy only where layout or type ask for one.

    numba takes read-only and writable arrays for different types. Arrow's memory is
    read-only: everything that is only read is made so.
    """
    view = np.require(array, dtype, ["C", "A"]).view()
    view.flags.writeable = False
    return view


def text_arrays(text: TextBuffers) -> TextArrays:
    """The arrays of a text column; a null document is an empty one.

    Raises:
        ValueError: the offsets are not those of a text column.
    """
    offsets = read_only(text.offsets, np.int64)
    data = read_only(text.data, np.uint8)
    if offsets.ndim != 1 or len(offsets) == 0:
        raise ValueError(f"offsets of a text column have length n+1 >= 1; got shape {offsets.shape}")
    if offsets[0] < 0 or offsets[-1] > len(data):
        raise ValueError(
            f"offsets {offsets[0]}..{offsets[-1]} leave the {len(data)} bytes of text: "
            "pass the whole data that they index"
        )
    return TextArrays(data, offsets)
