# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Segments copied, and documents copied without some of theirs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.buffers import read_only
from gpucurate.ops.compiled import kernel
from gpucurate.ops.copying import copy_bytes
from gpucurate.ops.segments.contract import BLANK, Segments, Spans

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_BLANK = np.uint8(BLANK)


class Runs(NamedTuple):
    """Runs of bytes of ``n`` documents: those of document i are ``firsts[i] .. firsts[i + 1]``."""

    starts: Places
    stops: Places
    firsts: Places


def runs(of: Segments | Spans) -> Runs:
    """The runs that segments or spans are, as compiled functions expect them."""
    return Runs(*(read_only(array, np.int64) for array in (of.starts, of.stops, of.firsts)))


@kernel
def copy_segments(data: Bytes, starts: Places, stops: Places, out: Bytes) -> None:
    """Copy segments one after the other."""
    at = 0
    for i in range(len(starts)):
        copy_bytes(data, starts[i], stops[i], out, at)
        at += stops[i] - starts[i]


@kernel
def mark_spans(
    offsets: Places,
    segments: Runs,
    kinds: Bytes,
    cut: Mask,
    spans: Runs,
    emptied: Mask,
) -> None:
    """Fill the spans that go with the segments that are cut."""
    count, starts, stops, firsts = 0, segments.starts, segments.stops, segments.firsts
    for document in range(len(offsets) - 1):
        kept_stop = np.int64(-1)
        remains, is_open = False, False
        begin = offsets[document]
        for i in range(firsts[document], firsts[document + 1]):
            if cut[i]:
                if not is_open:
                    begin, is_open = starts[i], True
                continue
            if is_open:
                spans.starts[count], spans.stops[count] = begin, starts[i]
                count += 1
                is_open = False
            kept_stop = stops[i]
            remains |= kinds[i] != _BLANK
        if is_open:
            is_all = kept_stop < 0
            spans.starts[count] = offsets[document] if is_all else kept_stop
            spans.stops[count] = offsets[document + 1] if is_all else stops[firsts[document + 1] - 1]
            count += 1
        emptied[document] = count > spans.firsts[document] and not remains
        spans.firsts[document + 1] = count


@kernel
def copy_without(
    data: Bytes,
    starts: Places,
    stops: Places,
    spans: Runs,
    places: Places,
    out: Bytes,
) -> None:
    """Copy ``data[starts[i]:stops[i]]`` without its spans to ``out[places[i]:]``."""
    for i in range(len(starts)):
        begin, at = starts[i], places[i]
        for span in range(spans.firsts[i], spans.firsts[i + 1]):
            copy_bytes(data, begin, spans.starts[span], out, at)
            at += spans.starts[span] - begin
            begin = spans.stops[span]
        copy_bytes(data, begin, stops[i], out, at)


@kernel
def count_characters(data: Bytes, offsets: Places, places: Places, firsts: Places, found: Places) -> None:
    """Characters of the document before each place."""
    for document in range(len(firsts) - 1):
        at, characters = offsets[document], 0
        for i in range(firsts[document], firsts[document + 1]):
            for byte in data[at : places[i]]:
                characters += (byte & 0xC0) != 0x80
            at = places[i]
            found[i] = characters
