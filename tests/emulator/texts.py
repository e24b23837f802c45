"""Documents that hash kernels could get wrong."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers

# Every length in UTF-8, cases that grow and shrink, white space of every kind, scripts without
# spaces, marks; enough of white space and of plain letters for words and gaps.
CHARACTERS = "ab cd\tAZ09_\n- \u00e9\u00a0\u0130\u023a\u023e\u00df\u0301\u1680\u2003\u3000"
CHARACTERS += "\u0e40\u4e2d\u6587\ud55c\U00010400\U0001f600"

documents = st.lists(
    st.none() | st.text(max_size=60) | st.text(alphabet=CHARACTERS, max_size=200), max_size=5
)
"""Any documents, null ones among them."""


def awkward() -> TextBuffers:
    """Empty, null, short, every width of character, and lengths around each boundary."""
    rng = random.Random(11)
    alphabet = "abcdefgh  \n\u00e9\u00df\u4e2d\u6587\U0001f600\U0001f9ea"
    words = "".join(rng.choice(alphabet) for _ in range(70_000))
    documents: list[str | None] = [
        "",
        None,
        "a",
        "\U0001f600",
        "ab\u00e9",
        "\u4e2d\u6587\u5b57\u7b26",
        "\U0001f600\U0001f9ea\U0001f600\U0001f9ea\U0001f600\U0001f9ea",
        "four",
        "fiver",
        "eight by",
        "x" * 5000,
        "",
        None,
    ]
    documents += [words[:length] for length in (31, 32, 33, 255, 1000)]
    documents += ["y" * length for length in (2047, 2048, 2049, 65535, 65536, 65537)]
    documents += ["\u00e9" * 1024, "-" + "\u4e2d" * 1400, "--" + "\U0001f600" * 600]
    documents += [words[:60_000]]  # more than 100 kB
    return TextBuffers.from_strings(documents)


def megabyte() -> TextBuffers:
    """Three documents, that in the middle of a million bytes of every kind of character."""
    rng = random.Random(12)
    line = "".join(rng.choice(CHARACTERS) for _ in range(5_000))
    return TextBuffers.from_strings(
        ["before", (line * 200).encode()[:1_000_000].decode(errors="ignore"), "after"]
    )


def sliced(text: TextBuffers, start: int, stop: int) -> TextBuffers:
    """Some of the documents over the same bytes; the first offset is not 0."""
    valid = None if text.valid is None else text.valid[start:stop]
    return TextBuffers(text.data, text.offsets[start : stop + 1], valid)


def shifted(text: TextBuffers, by: int) -> TextBuffers:
    """The same documents, their bytes beginning ``by`` bytes later in memory."""
    room = np.zeros(len(text.data) + 64 + by, np.uint8)
    start = -room.ctypes.data % 64 + by
    room[start : start + len(text.data)] = text.data
    return TextBuffers(room[start : start + len(text.data)], text.offsets, text.valid)
