"""Documents that hash kernels could get wrong."""

from __future__ import annotations

import random

import numpy as np

from gpucurate.frame.text import TextBuffers


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
