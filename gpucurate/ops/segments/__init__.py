"""Documents as lines or paragraphs, and documents with some of them cut out."""

from gpucurate.ops.segments.contract import (
    GRAINS,
    Grain,
    Segments,
    Spans,
    character_offsets,
    compared_text,
    cut_spans,
    remove_spans,
    split,
)

__all__ = [
    "GRAINS",
    "Grain",
    "Segments",
    "Spans",
    "character_offsets",
    "compared_text",
    "cut_spans",
    "remove_spans",
    "split",
]
