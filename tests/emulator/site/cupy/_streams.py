"""Copies of the emulated device that are under way: nobody may rely on them before having waited.

A copy on a stream of its own is done when something waits for the stream, or for an event behind the copy.
Until then its target holds nothing of use. Of page-locked memory the bytes are those of then; of other memory
those of now, as the driver takes such aside before it returns.
"""

from __future__ import annotations

import ctypes
import weakref
from collections import deque
from typing import Any

import numpy as np

from cupy import _memory

UNDEFINED = 0xA5


class Copy:
    """Host memory on its way into an array of the device."""

    def __init__(self, target: np.ndarray, values: np.ndarray) -> None:
        self._target = weakref.ref(_owner(target))
        self._place = target.ctypes.data
        self._values = _seen(values) if _memory.is_page_locked(values) else values.copy()
        target.view(np.uint8)[...] = UNDEFINED

    def finish(self) -> None:
        """The bytes arrive.

        Raises:
            RuntimeError: the target was freed meanwhile: its memory may be another array's by now.
        """
        if self._target() is None:
            raise RuntimeError("an array was freed while a copy into it was under way: wait for it before")
        ctypes.memmove(self._place, self._values.ctypes.data, self._values.nbytes)


class Queue:
    """Copies of a stream, in order."""

    def __init__(self) -> None:
        self._copies: deque[Copy] = deque()
        self._done = 0

    @property
    def position(self) -> int:
        """How many copies there were so far."""
        return self._done + len(self._copies)

    def add(self, target: np.ndarray, values: np.ndarray) -> None:
        """Begin one."""
        self._copies.append(Copy(target, values))

    def finish(self, position: int | None = None) -> None:
        """Finish those before a position; all if None."""
        while self._copies and (position is None or self._done < position):
            self._done += 1
            self._copies.popleft().finish()


def _owner(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _seen(values: np.ndarray) -> np.ndarray:
    """The same memory, without holding on to what holds it: a copy under way does not keep anything alive."""
    room = (ctypes.c_uint8 * values.nbytes).from_address(values.ctypes.data)
    return np.frombuffer(room, np.uint8)
