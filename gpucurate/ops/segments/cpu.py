"""Segments on the CPU: allocation here, loops in ``splitting`` and ``cutting``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import read_only, text_arrays
from gpucurate.ops.segments.contract import Grain, Places, Segments, Spans
from gpucurate.ops.segments.cutting import (
    Runs,
    copy_segments,
    copy_without,
    count_characters,
    mark_spans,
    runs,
)
from gpucurate.ops.segments.splitting import (
    SpaceTables,
    count_newlines,
    find_newlines,
    join_lines,
    split_lines,
)
from gpucurate.ops.unicode import unicode_tables


def split(text: TextBuffers, grain: Grain, min_length: int) -> Segments:
    """See the contract."""
    data, offsets = text_arrays(text)
    newlines = np.empty(count_newlines(data, offsets[0], offsets[-1]) + 1, np.int64)
    find_newlines(data, offsets[0], offsets[-1], newlines)
    newlines[-1] = offsets[-1]
    most = len(newlines) - 1 + len(text)
    starts, stops = np.empty(most, np.int64), np.empty(most, np.int64)
    kinds, firsts = np.empty(most, np.uint8), np.zeros(len(offsets), np.int64)
    run = split_lines if grain == "line" else join_lines
    run(data, offsets, newlines, _space_tables(), min_length, starts, stops, kinds, firsts)
    count = int(firsts[-1])
    return Segments(starts[:count], stops[:count], kinds[:count], firsts)


def compared_text(text: TextBuffers, segments: Segments) -> TextBuffers:
    """See the contract."""
    data, _ = text_arrays(text)
    chosen = segments.compared
    starts, stops = segments.starts[chosen], segments.stops[chosen]
    offsets = np.zeros(len(chosen) + 1, np.int64)
    np.cumsum(stops - starts, out=offsets[1:])
    out = np.empty(int(offsets[-1]), np.uint8)
    copy_segments(data, read_only(starts, np.int64), read_only(stops, np.int64), out)
    return TextBuffers(out, offsets)


def cut_spans(text: TextBuffers, segments: Segments, cut: npt.NDArray[np.bool_]) -> Spans:
    """See the contract."""
    _, offsets = text_arrays(text)
    most = int(np.count_nonzero(cut))
    made = Runs(np.empty(most, np.int64), np.empty(most, np.int64), np.zeros(len(offsets), np.int64))
    emptied = np.zeros(len(text), np.bool_)
    kinds, marks = read_only(segments.kinds, np.uint8), read_only(cut, np.bool_)
    mark_spans(offsets, runs(segments), kinds, marks, made, emptied)
    count = int(made.firsts[-1])
    return Spans(made.starts[:count], made.stops[:count], made.firsts, emptied)


def remove_spans(text: TextBuffers, spans: Spans) -> TextBuffers:
    """See the contract."""
    data, offsets = text_arrays(text)
    places = np.zeros(len(offsets), np.int64)
    np.cumsum(np.diff(offsets) - spans.removed, out=places[1:])
    out = np.empty(int(places[-1]), np.uint8)
    starts, stops = read_only(offsets[:-1], np.int64), read_only(offsets[1:], np.int64)
    copy_without(data, starts, stops, runs(spans), read_only(places, np.int64), out)
    return TextBuffers(out, places, text.valid)


def character_offsets(text: TextBuffers, places: Places, firsts: Places) -> Places:
    """See the contract."""
    data, offsets = text_arrays(text)
    found = np.empty(len(places), np.int64)
    count_characters(data, offsets, read_only(places, np.int64), read_only(firsts, np.int64), found)
    return found


def _space_tables() -> SpaceTables:
    unicode = unicode_tables()
    return SpaceTables(
        read_only(unicode.normal_stage1, np.uint16), read_only(unicode.normal_stage2, np.uint32)
    )
