"""Memory that a process holds and does not need: looked for between units, where that brings something."""

from __future__ import annotations

import ctypes
import gc
import time
from functools import cache

import pyarrow as pa

from gpucurate.memory.resident import resident_bytes
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.figures import NOTHING, Collected

FIRST_GROWTH = 64 * MIB
"""So much more than after the last time must have come together before it is looked again."""

WORTH_SHARE = 4
"""It was worth it if one part in so many of what had come together was given back."""

MOST_IN_VAIN = 3
"""After so many times in vain in a row it is not tried any more: what is held is in use."""


class Collector:
    """Collects garbage and gives idle pages back to the system, as long as that helps.

    It is done when the process has grown enough since the last time; each time that it was in vain, twice as
    much has to come together, and after three in a row it is left.
    """

    def __init__(self) -> None:
        self._level: int | None = None
        self._growth = FIRST_GROWTH
        self._in_vain = 0

    @property
    def is_off(self) -> bool:
        """Whether it did not help, and is done no more."""
        return self._in_vain >= MOST_IN_VAIN

    def between_units(self, held: int) -> Collected:
        """Give back what can be, if it is time.

        Args:
            held: bytes that the process held a moment ago.
        """
        if self._level is None:
            self._level = held
        grown = held - self._level
        if self.is_off or grown < self._growth:
            self._level = min(self._level, held)
            return NOTHING
        began, before = time.perf_counter(), resident_bytes()
        give_back()
        after = resident_bytes()
        self._judge(before - after, grown)
        self._level = after
        return Collected(1, time.perf_counter() - began, max(0, before - after))

    def _judge(self, given_back: int, grown: int) -> None:
        if given_back * WORTH_SHARE >= grown:
            self._growth, self._in_vain = FIRST_GROWTH, 0
        else:
            self._growth *= 2
            self._in_vain += 1


def give_back() -> None:
    """Collect cycles, then have Arrow's pool and the C library return idle pages to the system."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    """``malloc_trim`` of glibc; None elsewhere."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
