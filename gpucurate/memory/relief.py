"""What is done when GPU memory gets tight: carried out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from gpucurate.memory.pressure import Fill, Pressure, Step
from gpucurate.memory.torch_pool import release_torch_cache


class Relievable(Protocol):
    """A pool that can be relieved (:class:`~gpucurate.memory.gpu_pool.GpuPool`)."""

    @property
    def current_bytes(self) -> int:
        """Bytes handed out."""
        ...

    @property
    def reserved_bytes(self) -> int:
        """Bytes held of the device."""
        ...

    def trim(self) -> int:
        """Give idle bytes back."""
        ...


class Relief:
    """Keeps a pool below its soft limit; threads may share one.

    Args:
        pool: what gets full.
        pressure: decides.
        spill: asked for bytes, frees what it can (``SpillRegistry.free``).

    Attributes:
        steps: how often each step was taken, for the report.
    """

    def __init__(self, pool: Relievable, pressure: Pressure, spill: Callable[[int], int]) -> None:
        self._pool = pool
        self._pressure = pressure
        self._spill = spill
        self._lock = threading.Lock()
        self.steps: dict[Step, int] = {}

    def admits(self, in_flight: int) -> bool:
        """Relieve the pool if it is too full; whether a batch may begin, with so many at work."""
        with self._lock:
            self._relieve()
            return self._pressure.admits(in_flight)

    def _relieve(self) -> None:
        while step := self._pressure.next_step(fill := self._fill()):
            self.steps[step] = self.steps.get(step, 0) + 1
            self._carry_out(step, fill)

    def _carry_out(self, step: Step, fill: Fill) -> None:
        if step == "release_torch_cache":
            release_torch_cache()
        elif step == "trim":
            self._pool.trim()
        elif step == "spill" and self._spill(self._pressure.to_spill(fill)):
            self._pool.trim()  # what was spilled is idle now

    def _fill(self) -> Fill:
        return Fill(self._pool.current_bytes, self._pool.reserved_bytes)
