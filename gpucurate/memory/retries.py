"""Whether an allocation that failed is tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable

MOST = 8
"""Times that one allocation is tried again, however much is freed in between."""


class Retries:
    """What an allocator calls when an allocation failed: frees memory, and says whether to try again.

    Never endless: it says no when nothing was freed, when a spill itself ran out of memory, and
    after :data:`MOST` tries of a thread for so many bytes without an allocation in between.

    Args:
        free: asked for bytes, frees what it can; the bytes freed.
        allocated: how many allocations have succeeded so far.
    """

    def __init__(self, free: Callable[[int], int], allocated: Callable[[], int]) -> None:
        self._free = free
        self._allocated = allocated
        self._thread = threading.local()

    def __call__(self, nbytes: int) -> bool:
        """Free memory for an allocation of ``nbytes``; whether it may be tried again."""
        state = self._thread
        if getattr(state, "freeing", False):
            return False
        request = nbytes, self._allocated()
        tries = state.tries + 1 if getattr(state, "request", None) == request else 1
        state.request, state.tries = request, tries
        if tries > MOST:
            return False
        state.freeing = True
        try:
            return self._free(nbytes) > 0
        finally:
            state.freeing = False
