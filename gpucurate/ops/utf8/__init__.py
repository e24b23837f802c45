"""UTF-8: whether it is, and to code points in bounded pieces."""

from gpucurate.ops.utf8.contract import invalid_utf8

__all__ = ["invalid_utf8"]
