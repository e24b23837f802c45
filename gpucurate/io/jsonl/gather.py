"""Kept lines as few large writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.io.piece import LinesOriginal
from gpucurate.ops.compiled import kernel
from gpucurate.ops.copying import copy_bytes
from gpucurate.spec.bytesize import MIB

_NEWLINE = 10
_DIRECT = 256 * 1024
_GATHERED = 8 * MIB


@kernel
def _gather(data: Any, starts: Any, stops: Any, out: Any) -> None:
    at = 0
    for i in range(len(starts)):
        size = stops[i] - starts[i]
        copy_bytes(data, starts[i], stops[i], out, at)
        out[at + size] = 10
        at += size + 1


def blocks_of(lines: LinesOriginal) -> Iterator[npt.NDArray[np.uint8]]:
    """The lines, each with LF, as a few arrays of bytes (uint8).

    Neighbours whose LF stands between them in ``data`` are a run; long runs are views of the
    data, short ones are copied together.
    """
    if len(lines) == 0:
        return
    starts, stops = lines.starts, lines.stops
    follows = (starts[1:] == stops[:-1] + 1) & (lines.data[stops[:-1]] == _NEWLINE)
    firsts = np.concatenate(([0], np.flatnonzero(~follows) + 1, [len(starts)]))
    if lines.nbytes >= _DIRECT * (len(firsts) - 1):
        for first, last in zip(firsts[:-1], firsts[1:] - 1, strict=True):
            yield lines.data[starts[first] : stops[last]]
            yield np.array([_NEWLINE], np.uint8)
        return
    ends = np.cumsum(stops - starts + 1)
    at = 0
    while at < len(starts):
        done = int(ends[at - 1]) if at else 0
        upto = max(at + 1, int(np.searchsorted(ends, done + _GATHERED, side="right")))
        out = np.empty(int(ends[upto - 1]) - done, np.uint8)
        _gather(lines.data, starts[at:upto], stops[at:upto], out)
        yield out
        at = upto
