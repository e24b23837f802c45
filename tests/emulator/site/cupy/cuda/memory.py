"""``cupy.cuda.memory``: what is raised, and pinned memory."""

from __future__ import annotations

from cupy._memory import OutOfMemoryError, page_lock

__all__ = ["OutOfMemoryError", "PinnedMemoryPointer"]


class PinnedMemoryPointer(bytearray):
    """Host memory with the interface of a buffer."""

    def __init__(self, nbytes: int) -> None:
        super().__init__(nbytes)
        page_lock(self)
