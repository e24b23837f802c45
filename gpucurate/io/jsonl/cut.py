# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Cut parts out of the text of JSON lines, and leave every other byte as it is.

The bytes that stand for what goes are taken out of the line itself, so that what remains of the text
keeps its escapes. A line that the scanner finds unusual gets its text anew, from ``splice``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.io.jsonl.splice import set_fields
from gpucurate.io.piece import LinesOriginal
from gpucurate.ops.buffers import read_only
from gpucurate.ops.compiled import kernel
from gpucurate.ops.json_lines import BEGIN, ESCAPED, KIND, PLAIN, SIZE, scan_fields
from gpucurate.ops.json_lines.characters import hex4
from gpucurate.ops.json_lines.simd import WIDTH, backslash_mask, first_bit
from gpucurate.ops.segments import Spans, remove_spans
from gpucurate.ops.segments.cutting import copy_without, runs

_ANY_DEPTH = 1 << 10  # of lines that were read; the scanner has a limit of its own
_BACKSLASH, _U, _NEWLINE = 92, 117, 10

Places = npt.NDArray[np.int64]


def cut_lines(lines: LinesOriginal, field: str, text: TextBuffers, spans: Spans) -> LinesOriginal:
    """Lines without parts of the text of one field.

    Args:
        lines: n JSON objects.
        field: that holds the text in each of them.
        text: n documents, the values of the field.
        spans: what is to go of them.

    Returns:
        ``lines`` itself if nothing goes; else lines in memory of their own.

    Raises:
        ValueError: the text is not that of the field.
    """
    changed = spans.counts > 0
    if not changed.any():
        return lines
    begins, usual = _values(lines, field, text, changed)
    raw = _raw_spans(lines, begins, text, spans, changed & usual)
    anew = set_fields(*_texts_anew(lines, field, text, spans, changed & ~usual))
    return _put_together(lines, raw, np.flatnonzero(changed & ~usual), anew)


def _values(
    lines: LinesOriginal, field: str, text: TextBuffers, changed: npt.NDArray[np.bool_]
) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Of changed lines, where the value begins; and which of them are usual. Both have n entries."""
    begins, usual = np.zeros(len(lines), np.int64), np.zeros(len(lines), np.bool_)
    some = lines.select(changed)
    found, passed = scan_fields(lines.data, some.starts, some.stops, [field], max_depth=_ANY_DEPTH)
    value = found[:, 0]
    passed &= (value[:, KIND] == PLAIN) | (value[:, KIND] == ESCAPED)
    if np.any((value[:, SIZE] != np.diff(text.offsets)[changed])[passed]):
        raise ValueError(f"the text given is not that of field {field!r} of the lines")
    begins[changed], usual[changed] = value[:, BEGIN], passed
    return begins, usual


def _raw_spans(
    lines: LinesOriginal, begins: Places, text: TextBuffers, spans: Spans, wanted: npt.NDArray[np.bool_]
) -> Spans:
    """The spans of the lines wanted, in bytes of the lines; none of the other lines."""
    keep = np.repeat(wanted, spans.counts)
    firsts = np.zeros(len(lines) + 1, np.int64)
    np.cumsum(np.where(wanted, spans.counts, 0), out=firsts[1:])
    raw_starts, raw_stops = spans.starts[keep], spans.stops[keep]
    _find_raw(
        read_only(lines.data, np.uint8),
        read_only(begins, np.int64),
        read_only(text.offsets, np.int64),
        read_only(firsts, np.int64),
        raw_starts,
        raw_stops,
    )
    return replace(spans, starts=raw_starts, stops=raw_stops, firsts=firsts)


def _texts_anew(
    lines: LinesOriginal, field: str, text: TextBuffers, spans: Spans, wanted: npt.NDArray[np.bool_]
) -> tuple[LinesOriginal, dict[str, list[Any]]]:
    """Unusual lines, and the texts that they are to hold."""
    if not wanted.any():
        return lines.select(wanted), {field: []}
    rest = remove_spans(text, spans)
    return lines.select(wanted), {field: [rest.document(i).decode() for i in np.flatnonzero(wanted).tolist()]}


def _put_together(lines: LinesOriginal, raw: Spans, unusual: Places, anew: LinesOriginal) -> LinesOriginal:
    """All lines in one buffer, each with a newline, so that they are written in one go."""
    stops = lines.stops.copy()
    stops[unusual] = lines.starts[unusual]  # nothing is copied of them
    sizes = stops - lines.starts - raw.removed
    sizes[unusual] = anew.stops - anew.starts
    places = np.zeros(len(lines) + 1, np.int64)
    np.cumsum(sizes + 1, out=places[1:])
    out = np.empty(int(places[-1]), np.uint8)
    out[places[1:] - 1] = _NEWLINE
    data, begins = read_only(lines.data, np.uint8), read_only(lines.starts, np.int64)
    copy_without(data, begins, read_only(stops, np.int64), runs(raw), read_only(places, np.int64), out)
    for i, line in enumerate(unusual):
        out[places[line] : places[line] + sizes[line]] = anew.data[anew.starts[i] : anew.stops[i]]
    return LinesOriginal(out, places[:-1], places[1:] - 1)


@kernel
def _find_raw(data: Any, begins: Any, offsets: Any, firsts: Any, starts: Any, stops: Any) -> None:
    """Replace places in the text by those of the bytes that stand for them."""
    for i in range(len(begins)):
        raw, done = begins[i], offsets[i]
        for span in range(firsts[i], firsts[i + 1]):
            start, stop = starts[span], stops[span]
            starts[span] = _advance(data, raw, start - done)
            raw = stops[span] = _advance(data, starts[span], stop - start)
            done = stop


@kernel
def _advance(data: Any, raw: int, count: int) -> int:
    """Where what stands for the next ``count`` bytes of a string ends; ``data[raw]`` begins a character."""
    while count > 0:
        if data[raw] != _BACKSLASH:
            is_inside = raw + WIDTH <= len(data)
            size = min(first_bit(backslash_mask(data, raw)), count) if is_inside else 1
            raw += size
            count -= size
        elif data[raw + 1] != _U:
            raw += 2
            count -= 1
        else:
            unit = hex4(data, raw + 2)
            is_pair = 0xD800 <= unit <= 0xDFFF
            raw += 12 if is_pair else 6
            count -= 4 if is_pair else 1 + (unit >= 0x80) + (unit >= 0x800)
    return raw
