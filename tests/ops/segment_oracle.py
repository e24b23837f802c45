"""Lines and paragraphs, and documents without some of them, in plain Python: character by character."""

from __future__ import annotations

import re

from gpucurate.ops.unicode import SPACE, unicode_tables

_TABLES = unicode_tables()


def is_space(character: str) -> bool:
    return _TABLES.class_of(ord(character)) == SPACE


def strip(text: str) -> str:
    """``text`` without White_Space at its ends."""
    while text and is_space(text[0]):
        text = text[1:]
    while text and is_space(text[-1]):
        text = text[:-1]
    return text


def parts(document: str, grain: str) -> list[tuple[str, str]]:
    """Segments of a document, each with what stands between it and the next; before the first, one without.

    ``"".join(a + b for a, b in parts(...))`` is the document.
    """
    lines = re.findall(r"([^\n]*?)(\r?\n|\Z)", document)
    lines = [(content, end) for content, end in lines if content or end]
    if grain == "line":
        return [("", ""), *lines]
    found: list[tuple[str, str]] = [("", "")]
    in_paragraph = False
    for content, end in lines:
        is_blank = not strip(content)
        before, after = found[-1]
        if is_blank:
            found[-1] = before, after + content + end
        elif in_paragraph:
            found[-1] = before + after + content, end
        else:
            found.append((content, end))
        in_paragraph = not is_blank
    return found


def segments(document: str, grain: str) -> list[str]:
    return [content for content, _ in parts(document, grain)[1:]]


def is_compared(segment: str, min_length: int) -> bool:
    return len(strip(segment)) >= max(1, min_length)


def cut(document: str, grain: str, gone: list[bool]) -> str:
    """A document without the segments of which ``gone`` is true (one entry a segment)."""
    (lead, lead_end), *found = parts(document, grain)
    rest = [part for part, is_gone in zip(found, gone, strict=True) if not is_gone]
    if not any(gone):
        return document
    if not rest:
        return ""
    if gone[-1]:
        rest[-1] = rest[-1][0], found[-1][1]
    return lead + lead_end + "".join(content + end for content, end in rest)
