"""Lines and paragraphs of documents, and how they are cut out: definitions.

A **line** is a maximal run of bytes without U+000A; the U+000A that ends it, with a U+000D right before
it, is its terminator and not part of it. What follows the last U+000A is a line if it is not empty: an empty
document has no line. No other character ends one (U+2028, U+0085, U+000B do not).

A **paragraph** is a maximal run of lines that are not blank, from the first byte of the first one to
the last byte of the last one, the terminators between them included. A line is blank if it consists of
White_Space (Unicode 15.1); blank lines belong to no paragraph.

The length of a segment is its characters from the first that is not White_Space to the last one. Segments
shorter than a limit, and blank ones, are never compared and never cut.

**Cutting.** What stands between the starts of two neighbours goes with the first of them. So a document
without some of its segments is what stands before its first segment, then those that remain, each
with what followed it; but a document ends as it ended: where the last segment is among those cut, what
followed the last one that remains goes instead of what followed the last one. A document of which no
segment remains is empty. Cuts fall beside U+000A or at the ends, so always between two characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation

Grain = Literal["line", "paragraph"]
GRAINS: tuple[Grain, ...] = get_args(Grain)

BLANK, SHORT, COMPARED = 0, 1, 2

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segments:
    """The ``m`` segments of ``n`` documents, in order.

    Attributes:
        starts: int64[m], first byte of each in the data of the text.
        stops: int64[m], end of each, exclusive: there its terminator begins.
        kinds: uint8[m], ``BLANK`` (a line of White_Space), ``SHORT`` or ``COMPARED``.
        firsts: int64[n+1], segments before each document.
    """

    starts: Places
    stops: Places
    kinds: npt.NDArray[np.uint8]
    firsts: Places

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def compared(self) -> Places:
        """Indices of the segments that are compared, ascending."""
        return np.flatnonzero(self.kinds == COMPARED)

    def compared_firsts(self) -> Places:
        """Compared segments before each document, and all of them: int64[n+1]."""
        before = np.zeros(len(self) + 1, np.int64)
        np.cumsum(self.kinds == COMPARED, out=before[1:])
        firsts: Places = before[self.firsts]
        return firsts


@dataclass(frozen=True, slots=True)
class Spans:
    """What is to go of ``n`` documents: ``k`` runs of bytes, none empty, none overlapping.

    Attributes:
        starts: int64[k], first byte of each in the data of the text; ascending within a document.
        stops: int64[k], exclusive.
        firsts: int64[n+1], spans before each document.
        emptied: bool[n], whether something goes and all that remains is White_Space.
    """

    starts: Places
    stops: Places
    firsts: Places
    emptied: npt.NDArray[np.bool_]

    @property
    def counts(self) -> Places:
        """Spans of each document, int64[n]."""
        return np.diff(self.firsts)

    @property
    def nbytes(self) -> int:
        """Bytes that go."""
        return int((self.stops - self.starts).sum())

    @property
    def removed(self) -> Places:
        """Bytes that go of each document, int64[n]."""
        before = np.zeros(len(self.starts) + 1, np.int64)
        np.cumsum(self.stops - self.starts, out=before[1:])
        return np.diff(before[self.firsts])


def split(text: TextBuffers, grain: Grain, min_length: int = 1) -> Segments:
    """The segments of each document; a null one has none.

    Args:
        text: n documents.
        grain: ``line`` or ``paragraph``.
        min_length: shorter segments, in characters, are ``SHORT``; at least 1.

    Example:
        >>> found = split(TextBuffers.from_strings(["one\\r\\n\\ntwo"]), "line")
        >>> found.starts.tolist(), found.stops.tolist()
        ([0, 5, 6], [3, 5, 9])
    """
    segments: Segments = implementation(__package__, text.data).split(text, grain, min_length)
    return segments


def compared_text(text: TextBuffers, segments: Segments) -> TextBuffers:
    """The compared segments as documents of their own, without terminators, in memory of their own."""
    copied: TextBuffers = implementation(__package__, text.data).compared_text(text, segments)
    return copied


def cut_spans(text: TextBuffers, segments: Segments, cut: npt.NDArray[np.bool_]) -> Spans:
    """The bytes that go with the segments that are cut.

    Args:
        text: as it was split.
        segments: what :func:`split` found.
        cut: bool, one entry a compared segment.

    Raises:
        ValueError: not one entry a compared segment.

    Example:
        >>> text = TextBuffers.from_strings(["one\\ntwo\\nthree"])
        >>> spans = cut_spans(text, split(text, "line"), np.array([False, True, True]))
        >>> remove_spans(text, spans).document(0)
        b'one'
    """
    compared = segments.compared
    if cut.shape != compared.shape:
        raise ValueError(f"{len(compared)} segments were compared, but there are {cut.shape} marks")
    marks = np.zeros(len(segments), np.bool_)
    marks[compared] = cut
    spans: Spans = implementation(__package__, text.data).cut_spans(text, segments, marks)
    return spans


def remove_spans(text: TextBuffers, spans: Spans) -> TextBuffers:
    """The documents without the spans, in memory of their own; nulls stay null."""
    rest: TextBuffers = implementation(__package__, text.data).remove_spans(text, spans)
    return rest


def character_offsets(text: TextBuffers, places: Places, firsts: Places) -> Places:
    """Characters (code points) of the document before each place.

    Args:
        text: n documents.
        places: int64[p], bytes of the data of the text, at starts of characters or ends of documents;
            ascending within each document.
        firsts: int64[n+1], places before each document.

    Returns:
        int64[p].
    """
    offsets: Places = implementation(__package__, text.data).character_offsets(text, places, firsts)
    return offsets
