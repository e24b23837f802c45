"""Lines of a buffer, found without a Python object per line."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.ops.buffers import read_only
from gpucurate.ops.compiled import kernel
from gpucurate.ops.json_lines.simd import WIDTH, first_bit, newline_mask


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
    """See the contract."""
    data = read_only(data, np.uint8)
    n = int(_count_newlines(data)) + (1 if len(data) and data[-1] != 10 else 0)
    starts, stops, blank = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.bool_)
    _fill_lines(data, starts, stops, blank)
    return starts, stops, blank
