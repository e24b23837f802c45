"""The text of segments that are known by their numbers, for reports."""

from __future__ import annotations

from typing import Any

from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.segment_places import place_of
from gpucurate.dedup.segmentation import Segmentation
from gpucurate.frame.text import TextBuffers
from gpucurate.io.limits import ReadLimits
from gpucurate.ops.segments import compared_text
from gpucurate.workflows.examples import document_text, locate, shorten
from gpucurate.workflows.found import Found


class SegmentTexts:
    """Reads segments where they stand.

    Args:
        found: what the first pass left.
        segments: its key files, by segments.
        segmentation: that made them.
        text_field: the column of text.
        limits: as the documents were read.
    """

    def __init__(
        self, found: Found, segments: KeySet, segmentation: Segmentation, text_field: str, limits: ReadLimits
    ) -> None:
        self._found = found
        self._segments = segments
        self._segmentation = segmentation
        self._text_field = text_field
        self._limits = limits
        self._bases = [span.first_id for span in found.spans]

    def of(self, segment: int) -> dict[str, Any]:
        """Path and row of a segment's document, and the beginning of the segment on one line."""
        place = place_of(self._segments, segment)
        id_ = int(self._found.keys.bases[place.unit]) + place.record
        source, record = locate(id_, self._bases, self._found.ranges)
        span = self._found.spans[self._found.ranges.index(source)]
        text = TextBuffers.from_strings([document_text(source, record, self._text_field, self._limits)])
        lines = compared_text(text, self._segmentation.split(text))
        return {
            "path": span.name,
            "row": None if span.first_row is None else span.first_row + record,
            "text": shorten(lines.document(place.position).decode()) if place.position < len(lines) else "",
        }
