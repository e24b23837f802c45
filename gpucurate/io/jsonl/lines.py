"""Lines of a buffer, found without a Python object per line."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.io.jsonl.simd import WIDTH, first_bit, newline_mask
from gpucurate.ops.compiled import kernel


@kernel
def _count_newlines(data: Any) -> int:
    count = 0
    for i in range(len(data)):
        count += data[i] == 10
    return count


@kernel
def _fill_lines(data: Any, starts: Any, stops: Any, blank: Any) -> None:
    n = len(data)
    line = 0
    start = 0
    i = 0
    while i + WIDTH <= n:
        mask = newline_mask(data, i)
        while mask:
            at = i + first_bit(mask)
            mask &= mask - np.uint64(1)
            starts[line] = start
            stops[line] = at
            line += 1
            start = at + 1
        i += WIDTH
    while i < n:
        if data[i] == 10:
            starts[line] = start
            stops[line] = i
            line += 1
            start = i + 1
        i += 1
    if start < n:
        starts[line] = start
        stops[line] = n
        line += 1
    for j in range(line):
        k = starts[j]
        while k < stops[j] and (data[k] == 32 or data[k] == 9 or data[k] == 13):
            k += 1
        blank[j] = k == stops[j]


def find_lines(
    data: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Start and end of each line of ``data``, and which are blank.

    Only LF ends a line (U+2028, VT, FF and a lone CR do not). Ends exclude the LF and
    include a CR before it. Blank is what holds spaces, tabs and CRs only. A last line
    without LF counts.

    Returns:
        starts int64[n], stops int64[n], blank bool[n].
    """
    n = int(_count_newlines(data)) + (1 if len(data) and data[-1] != 10 else 0)
    starts, stops, blank = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.bool_)
    _fill_lines(data, starts, stops, blank)
    return starts, stops, blank


def trim_carriage_returns(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Ends of lines without the CR of a CR LF."""
    if len(stops) == 0:
        return stops
    last = np.maximum(stops - 1, 0)
    trimmed: npt.NDArray[np.int64] = stops - ((stops > starts) & (data[last] == 13))
    return trimmed
