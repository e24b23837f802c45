"""File names in records: any name, as text that JSON and a terminal can carry."""

from __future__ import annotations

import os
import re

RESERVED_PREFIX = "_gpucurate_"
"""Of the fields that gpucurate adds; no record may have one before."""


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
        c if c.isprintable() and c != "%" else "".join(f"%{byte:02X}" for byte in os.fsencode(c))
        for c in name
    )


def decode_name(encoded: str) -> str:
    """The name that :func:`encode_name` was given."""
    if "%" not in encoded:
        return encoded
    raw = re.sub(rb"%([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), encoded.encode())
    return os.fsdecode(raw)
