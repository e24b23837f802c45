"""Lengths of documents in code points."""

from gpucurate.ops.char_length.contract import char_length

__all__ = ["char_length"]
