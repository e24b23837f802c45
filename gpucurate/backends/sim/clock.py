"""A virtual clock: what is to happen, in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

Happening = Callable[..., None]


class Clock:
    """Things that are to happen, by time and then by the order in which they were planned.

    Attributes:
        now: seconds since the start.
        under_way: planned things that are work or news, faults excepted.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.under_way = 0
        self._heap: list[tuple[float, int, bool, Happening, tuple[Any, ...]]] = []
        self._planned = 0

    def after(self, seconds: float, what: Happening, *about: Any) -> None:
        """Plan ``what(*about)``."""
        self._plan(seconds, False, what, about)

    def fault(self, seconds: float, what: Happening, *about: Any) -> None:
        """Plan a fault: something that nobody may wait for."""
        self._plan(seconds, True, what, about)

    def _plan(self, seconds: float, fault: bool, what: Happening, about: tuple[Any, ...]) -> None:
        self._planned += 1
        self.under_way += not fault
        heapq.heappush(self._heap, (self.now + seconds, self._planned, fault, what, about))

    def next_time(self) -> float | None:
        """When the next thing happens; None if nothing is planned."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Let the next thing happen."""
        self.now, _, fault, what, about = heapq.heappop(self._heap)
        self.under_way -= not fault
        what(*about)
