"""Rows of a text column on a device, by a mask."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import array_module

STEP_BYTES = 16 << 20
"""Text is gathered so much at a time: each byte takes the jump to it and its place meanwhile, of 8 bytes."""


def take_text(text: TextBuffers, mask: Any) -> TextBuffers:
    """The documents where ``mask`` is true, in order, in buffers of their own.

    Args:
        text: n documents on a device.
        mask: bool[n], there.
    """
    xp = array_module()
    lengths = xp.diff(text.offsets)[mask]
    offsets = prefix_sums(lengths)
    begins = text.offsets[:-1][mask]
    data = xp.empty(int(offsets[-1]), np.uint8)
    for first, stop in _steps(xp, offsets):
        _gather(xp, text.data, begins[first:stop], offsets[first : stop + 1], data)
    valid = None if text.valid is None else text.valid[mask]
    return TextBuffers(data, offsets, valid)


def concatenate_text(parts: list[TextBuffers]) -> TextBuffers:
    """The documents of all parts, which lie on a device, in order."""
    xp = array_module()
    ends = [(int(part.offsets[0]), int(part.offsets[-1])) for part in parts]
    before = np.cumsum([0, *(end - begin for begin, end in ends)])
    data = xp.concatenate([part.data[begin:end] for part, (begin, end) in zip(parts, ends, strict=True)])
    shifted = [
        part.offsets[1:] + (int(at) - begin)
        for part, (begin, _), at in zip(parts, ends, before[:-1], strict=True)
    ]
    offsets = xp.concatenate([xp.zeros(1, np.int64), *shifted])
    if all(part.valid is None for part in parts):
        return TextBuffers(data, offsets, None)
    valid = [xp.ones(len(part), bool) if part.valid is None else part.valid for part in parts]
    return TextBuffers(data, offsets, xp.concatenate(valid))


def prefix_sums(counts: Any) -> Any:
    """int64[n+1]: the sums of the counts (on a device) before each, and of all."""
    xp = array_module()
    sums = xp.zeros(len(counts) + 1, np.int64)
    sums[1:] = xp.cumsum(counts, dtype=np.int64)
    return sums


def _steps(xp: Any, offsets: Any) -> list[tuple[int, int]]:
    """Ranges of documents of about ``STEP_BYTES``; a larger document is a range of its own."""
    total = int(offsets[-1])
    marks = xp.arange(STEP_BYTES, total, STEP_BYTES)
    cuts = xp.searchsorted(offsets, marks, "right").tolist()
    bounds = sorted({0, *cuts, len(offsets) - 1})
    return list(pairwise(bounds))


def _gather(xp: Any, source: Any, begins: Any, offsets: Any, out: Any) -> None:
    """Copy documents that begin at ``begins`` to ``out[offsets[0]:offsets[-1]]``."""
    first, stop = int(offsets[0]), int(offsets[-1])
    some = xp.flatnonzero(offsets[1:] > offsets[:-1])  # an empty one begins where the next does
    if not len(some):
        return
    starts, sources = offsets[some], begins[some]
    # How the place in the source changes from one byte to the next: by one, and at each start by a jump.
    jumps = xp.ones(stop - first, np.int64)
    jumps[starts - first] = sources
    ends = sources[:-1] + (starts[1:] - starts[:-1]) - 1
    jumps[starts[1:] - first] -= ends
    out[first:stop] = source[xp.cumsum(jumps)]
