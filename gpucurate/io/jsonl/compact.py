"""Lines over no more memory than they need."""

from __future__ import annotations

import numpy as np

from gpucurate.io.jsonl.gather import blocks_of
from gpucurate.io.piece import LinesOriginal


def compact(lines: LinesOriginal) -> LinesOriginal:
    """The same lines, cut out of the piece that they were read with; copied where half of that goes."""
    if not len(lines):
        return LinesOriginal(np.empty(0, np.uint8), lines.starts, lines.stops)
    begin, end = int(lines.starts[0]), min(int(lines.stops[-1]) + 1, len(lines.data))  # with its LF
    if end - begin <= 2 * lines.nbytes:
        return LinesOriginal(lines.data[begin:end], lines.starts - begin, lines.stops - begin)
    ends = np.cumsum(lines.stops - lines.starts + 1)
    starts = np.concatenate(([0], ends[:-1]))
    return LinesOriginal(np.concatenate(list(blocks_of(lines))), starts, ends - 1)
