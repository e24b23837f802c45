"""Text that operations are tried on."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.unicode import SOLO, WORD, unicode_tables

# Every length in UTF-8, cases, white space of every kind, scripts without spaces, marks.
CHARACTERS = "aZ09_ \t\n-é\u00a0\u0130\u023a\u023eßЖжα\u0301٣\u1680\u2003เก็တ၊日本ーのカ\u3000한€𐐀𝟘😀𠀀"  # noqa: RUF001

documents = st.lists(
    st.one_of(
        st.none(),
        st.text(max_size=40),
        st.text(alphabet=CHARACTERS, max_size=400),
        st.text(alphabet="ab ", max_size=400),
    ),
    max_size=12,
)

AWKWARD = [
    "",
    None,
    "x",
    " ",
    "日",
    "😀",
    "a" * 1023 + "é" + "b" * 2000,
    "a" * 1024,
    "é" * 1500,
    "日本語" * 700,
    "😀𐐀" * 600,
    "word " * 900,
    "w" * 5000 + " tail",
    "\u023a" * 300,
    " \u3000\n" * 500,
    "Mixed ÀÉ 日本 text, “quoted” and 😀. " * 60,
]


def strings(text: TextBuffers) -> list[str | None]:
    """The documents as Python strings."""
    valid = [True] * len(text) if text.valid is None else text.valid.tolist()
    return [text.document(i).decode() if ok else None for i, ok in enumerate(valid)]


def as_slice(documents: list[str | None]) -> TextBuffers:
    """The same documents as a slice of an Arrow column: read-only, offsets that do not start at 0."""
    column = pa.array(["before é", *documents, "after"], pa.large_string())
    return TextBuffers.from_arrow(column.slice(1, len(documents)))


def long_document(nbytes: int = 1_000_000) -> str:
    """A megabyte of every kind of character."""
    rng = np.random.default_rng(5)
    return "".join(rng.choice(list(CHARACTERS), nbytes // 2))[: nbytes // 2]


def words(document: str) -> list[str]:
    """The words of a document, by the definition."""
    tables = unicode_tables()
    kinds = "".join({WORD: "w", SOLO: "s"}.get(tables.class_of(ord(c)), "-") for c in document)
    return [document[m.start() : m.end()] for m in re.finditer("w+|s", kinds)]


def shingles(document: str | None, kind: str, ngram: int) -> set[tuple[str, ...]]:
    """The set of shingles of a document, by the definition."""
    values = words(document or "") if kind == "word" else list(document or "")
    n = min(ngram, len(values))
    return {tuple(values[i : i + n]) for i in range(len(values) - n + 1)} if n else set()
