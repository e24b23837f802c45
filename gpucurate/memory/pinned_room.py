"""Buffers of a pinned ring that go back by themselves, when nobody looks at them any more."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.memory.pinned import Event, PinnedRing, PinnedSlot


class _Lent:
    """What arrays over a slot hold on to: the slot goes back with the last of them."""

    def __init__(self, slot: PinnedSlot, nbytes: int) -> None:
        self.slot = slot
        self.__array_interface__: dict[str, Any] = slot.array[:nbytes].__array_interface__

    def __del__(self) -> None:
        self.slot.__exit__(None, None, None)


class PinnedRoom:
    """Gives buffers of page-locked memory where there are any, and plain ones where not.

    Nobody waits: a buffer that is too large for the ring, or asked for while all are in use, is
    plain memory, from which copies are slower.

    Args:
        ring: of buffers.
        slot_bytes: bytes of each.

    Attributes:
        slot_bytes: bytes of each.

    >>> PinnedRoom(PinnedRing(1, 64, pinned=False), 64)(10).size
    10
    """

    def __init__(self, ring: PinnedRing, slot_bytes: int) -> None:
        self._ring = ring
        self.slot_bytes = slot_bytes

    def __call__(self, nbytes: int) -> npt.NDArray[np.uint8]:
        """A buffer of so many bytes: uint8, not initialised."""
        if nbytes > self.slot_bytes:
            return np.empty(nbytes, np.uint8)
        try:
            slot = self._ring.take(timeout=0)
        except TimeoutError:
            return np.empty(nbytes, np.uint8)
        return np.asarray(_Lent(slot, nbytes))

    def free_after(self, array: npt.NDArray[np.uint8], event: Event) -> None:
        """Tell the buffer that an array is of, if it is one of the ring, that a copy ends with ``event``."""
        base: Any = array
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, _Lent):
            base.slot.free_after(event)
