"""What remains of a corpus without its repeated lines or paragraphs, in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.ops.segment_oracle import cut, is_compared, segments, strip
from tests.ops.test_normalize import reference


@dataclass(frozen=True)
class Settings:
    """As those of the workflow."""

    grain: str = "line"
    scope: str = "corpus"
    keep: str = "first"
    min_length: int = 20
    min_count: int = 2
    normalize: bool = True


def gone_of(documents: Sequence[str], settings: Settings) -> list[list[bool]]:
    """Of each segment of each document, whether it goes."""
    keys = [[_key(number, text, settings) for text in segments(document, settings.grain)]
            for number, document in enumerate(documents)]  # fmt: skip
    counts = Counter(key for of_document in keys for key in of_document if key is not None)
    seen: set[tuple[int, str] | None] = set()
    gone = []
    for of_document in keys:
        marks = []
        for key in of_document:
            is_frequent = key is not None and counts[key] >= settings.min_count
            marks.append(is_frequent and (settings.keep == "none" or key in seen))
            seen.add(key)
        gone.append(marks)
    return gone


def _key(number: int, segment: str, settings: Settings) -> tuple[int, str] | None:
    if not is_compared(segment, settings.min_length):
        return None
    return (number if settings.scope == "document" else 0), reference(
        segment
    ) if settings.normalize else segment


def remaining(documents: Sequence[str], settings: Settings) -> list[str | None]:
    """What remains of each document; None where only white space remains of what was cut."""
    rest: list[str | None] = []
    for document, gone in zip(documents, gone_of(documents, settings), strict=True):
        text = cut(document, settings.grain, gone)
        rest.append(None if any(gone) and not strip(text) else text)
    return rest
