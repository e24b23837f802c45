"""Normalisation of text: definition.

Every code point is replaced by its Simple_Lowercase_Mapping; every maximal run of White_Space
becomes one U+0020; white space at either end goes. Unicode 15.1 (``ops.unicode``).
"""

from __future__ import annotations

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation


def normalize(text: TextBuffers) -> TextBuffers:
    """Normalised text of n documents; the argument is not changed.

    Nulls stay null. A document may become empty, or longer: U+023A and U+023E take a byte
    more in lower case.

    Example:
        >>> normalize(TextBuffers.from_strings([" One\\tTWO  "])).document(0)
        b'one two'
    """
    normalized: TextBuffers = implementation(__package__, text.data).normalize(text)
    return normalized
