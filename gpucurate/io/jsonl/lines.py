"""Ends of lines as records want them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def trim_carriage_returns(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Ends of lines without the CR of a CR LF."""
    if len(stops) == 0:
        return stops
    last = np.maximum(stops - 1, 0)
    trimmed: npt.NDArray[np.int64] = stops - ((stops > starts) & (data[last] == 13))
    return trimmed
