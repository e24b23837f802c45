"""File names in records: any name, as text that JSON and a terminal can carry."""

from __future__ import annotations

import os
from urllib.parse import quote, unquote_to_bytes


def encode_name(name: str) -> str:
    r"""A name without control characters or undecodable bytes: those are percent-encoded.

    >>> encode_name("a/b\n%.jsonl")
    'a/b%0A%25.jsonl'
    """
    if "%" not in name and name.isprintable():
        try:
            name.encode()
        except UnicodeEncodeError:
            pass
        else:
            return name
    return "".join(
        c
        if c.isprintable() and c != "%" and not 0xD800 <= ord(c) < 0xE000
        else quote(os.fsencode(c), safe="")
        for c in name
    )


def decode_name(encoded: str) -> str:
    """The name that :func:`encode_name` was given."""
    return os.fsdecode(unquote_to_bytes(encoded)) if "%" in encoded else encoded
