"""``cupy.cuda.memory``: what is raised, and pinned memory."""

from __future__ import annotations

from cupy._memory import OutOfMemoryError

__all__ = ["OutOfMemoryError", "PinnedMemoryPointer"]


class PinnedMemoryPointer(bytearray):
    """Host memory with the interface of a buffer."""
