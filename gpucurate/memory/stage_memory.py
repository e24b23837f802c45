"""Bytes that a pool held while a stage was running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class StageMemory:
    """What a pool held during one piece of work of a stage, all threads together.

    Attributes:
        stage: its name.
        before: bytes held when it began.
        current: bytes held when it ended, or at the last boundary.
        peak: the most bytes held at once in between.
        allocations: how many were made.
    """

    stage: str
    before: int
    current: int = 0
    peak: int = 0
    allocations: int = 0

    def __post_init__(self) -> None:
        self.current = self.peak = self.before


class Counters(Protocol):
    """Figures since counters were pushed, relative to then (``rmm.statistics.Statistics``)."""

    current_bytes: int
    peak_bytes: int
    total_count: int


class Counting(Protocol):
    """A pool with a stack of counters (``rmm.mr.StatisticsResourceAdaptor``)."""

    def push_counters(self) -> Counters:
        """Begin counters at zero; returns those before."""
        ...

    def pop_counters(self) -> Counters:
        """End the counters begun last; returns them, and adds them to those before."""
        ...


class StageCounters:
    """Peaks of stages that may overlap in any order, from any thread.

    RMM's counters are a stack of one pool, not of a thread. So they are popped and pushed at each
    boundary (a stage begins, or ends), and what was between two boundaries counts for all stages
    that were running. An allocation by another thread in the instant of a boundary may be left out.

    Args:
        pool: whose counters.
    """

    def __init__(self, pool: Counting) -> None:
        self._pool = pool
        self._running: list[StageMemory] = []
        self._lock = threading.Lock()
        self._open = True
        self._before = pool.push_counters()

    @contextmanager
    def counting(self, stage: str) -> Iterator[StageMemory]:
        """Count while the block runs; the figures are whole when it has ended."""
        with self._lock:
            self._lap()
            memory = StageMemory(stage, self._before.current_bytes)
            self._running.append(memory)
        try:
            yield memory
        finally:
            with self._lock:
                self._lap()
                self._running = [each for each in self._running if each is not memory]

    @property
    def peak_bytes(self) -> int:
        """The most bytes held at once so far."""
        with self._lock:
            self._lap()
            return self._before.peak_bytes

    @property
    def allocations(self) -> int:
        """How many allocations succeeded so far."""
        with self._lock:
            self._lap()
            return self._before.total_count

    def close(self) -> None:
        """Take the counters off the pool; the figures stay."""
        with self._lock:
            self._lap()
            self._open = False
            self._pool.pop_counters()

    def _lap(self) -> None:
        """What was since the last boundary goes to the running stages."""
        if not self._open:
            return
        since, held = self._pool.pop_counters(), self._before.current_bytes
        self._before = self._pool.push_counters()
        for memory in self._running:
            memory.peak = max(memory.peak, held + since.peak_bytes)
            memory.current = self._before.current_bytes
            memory.allocations += since.total_count
