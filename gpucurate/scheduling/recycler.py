"""Which worker is to be replaced, and why: age, number of units, growth of its memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from gpucurate.scheduling.leak import LeakWatch
from gpucurate.scheduling.policy import Policy
from gpucurate.spec.bytesize import format_bytes

SLOPE_UNITS = 20
"""Units over which memory must be seen to rise before growth counts."""

_KEPT = 64
_JITTER = 0.1


@dataclass(slots=True)
class _Memory:
    """Bytes of one kind that a worker holds: after its setup, and after each of its last units."""

    name: str
    baseline: int = 0
    samples: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def observe(self, held: int) -> None:
        if held > 0:  # 0 is unknown
            self.baseline = self.baseline or held
            self.samples.append(held)

    def growth(self, limit: int) -> str | None:
        """A sentence if it grew by more than ``limit`` and still rises."""
        if not self.samples or self.samples[-1] - self.baseline <= limit or not _rises(self.samples):
            return None
        grown, units = self.samples[-1] - self.baseline, len(self.samples)
        return (
            f"its {self.name} grew by {format_bytes(grown)} since its setup (limit {format_bytes(limit)}), "
            f"from {format_bytes(self.baseline)} to {format_bytes(self.samples[-1])}, "
            f"and rose over its last {units} units"
        )


@dataclass(slots=True)
class WorkerHistory:
    """The life of one worker.

    Attributes:
        segment: what it runs.
        ready_at: when its setup was done: its age counts from there, however long the setup was.
        lifetime: seconds that it may live, its jitter included; None for ever.
        units: done so far.
        stages: names of what it runs.
    """

    segment: int
    ready_at: float
    lifetime: float | None
    units: int = 0
    stages: Sequence[str] = ()
    host: _Memory = field(default_factory=lambda: _Memory("memory"))
    gpu: _Memory = field(default_factory=lambda: _Memory("GPU memory"))
    leak: LeakWatch = field(default_factory=lambda: LeakWatch("memory"))
    gpu_leak: LeakWatch = field(default_factory=lambda: LeakWatch("GPU memory"))


class Recycler:
    """Says which workers have served their time; at most one of a segment per restart interval.

    Lifetimes differ by up to 10% either way, drawn once per worker, so that workers that started
    together do not end together. Growth counts over what the worker held after its setup, and
    only if a line through its last units (20 at least, 64 at most) rises: a cache that has
    filled up is no leak. A leak is a rise that is sure, goes on, and has come to something
    (:mod:`gpucurate.scheduling.leak`).

    Args:
        policy: lifetime, units, growth and restart interval.
        rng: for the jitter; one draw per worker that has a lifetime.
    """

    def __init__(self, policy: Policy, rng: Random) -> None:
        self._policy = policy
        self._rng = rng
        self._workers: dict[int, WorkerHistory] = {}
        self._replaced: dict[int, WorkerHistory] = {}
        self._last: dict[int, float] = {}
        self._ages: dict[int, list[tuple[float, int]]] = {}  # by segment, a heap of (end of life, worker)

    def ready(
        self,
        worker: int,
        segment: int,
        now: float,
        *,
        memory: int = 0,
        gpu_memory: int = 0,
        stages: Sequence[str] = (),
    ) -> None:
        """A worker has done its setup and holds so many bytes; 0 where that is not known."""
        lifetime = self._policy.worker_max_lifetime_s
        if lifetime is not None:
            lifetime *= self._rng.uniform(1 - _JITTER, 1 + _JITTER)
            heappush(self._ages.setdefault(segment, []), (now + lifetime, worker))
        history = WorkerHistory(segment, now, lifetime, stages=stages)
        history.host.baseline, history.gpu.baseline = memory, gpu_memory
        self._workers[worker] = history

    def done(self, worker: int, memory: int = 0, gpu_memory: int = 0, growth: Sequence[int] = ()) -> None:
        """A worker has done a unit and holds so many bytes; 0 where that is not known.

        ``growth`` is by how many it grew during the calls of each stage; empty where not measured.
        """
        history = self._workers.get(worker) or self._replaced.get(worker)
        if history is not None:
            history.units += 1
            history.host.observe(memory)
            history.gpu.observe(gpu_memory)
            history.leak.observe(memory, growth)
            history.gpu_leak.observe(gpu_memory)

    def gone(self, worker: int) -> None:
        """A worker is no more."""
        self._workers.pop(worker, None)
        self._replaced.pop(worker, None)

    def recycled(self, worker: int, now: float) -> None:
        """A worker is being replaced: it is not named again, and its segment waits for the interval."""
        history = self._workers.pop(worker, None)
        if history is not None:
            self._last[history.segment] = now
            self._replaced[worker] = history

    def stays(self, worker: int) -> None:
        """The successor of a worker came to nothing: it is still due."""
        history = self._replaced.pop(worker, None)
        if history is not None:
            self._workers[worker] = history
            if history.lifetime is not None:
                end = history.ready_at + history.lifetime
                heappush(self._ages.setdefault(history.segment, []), (end, worker))

    def due(self, worker: int, now: float) -> str | None:
        """Why a worker is to be replaced now, in a sentence with the figures; None if it is not."""
        history = self._workers.get(worker)
        if history is None or now < self._free_at(history.segment):
            return None
        return self._aged(history, now) or self._worn(history) or self._grown(history) or self._leaks(history)

    def next_due(self) -> float | None:
        """When the next worker reaches its age, the restart interval considered; None for never.

        A step per segment: the scheduler asks after every event.
        """
        times = [self._segment_due(segment, ages) for segment, ages in self._ages.items()]
        return min((time for time in times if time is not None), default=None)

    def _segment_due(self, segment: int, ages: list[tuple[float, int]]) -> float | None:
        while ages and ages[0][1] not in self._workers:
            heappop(ages)
        return max(ages[0][0], self._free_at(segment)) if ages else None

    def _free_at(self, segment: int) -> float:
        last = self._last.get(segment)
        return float("-inf") if last is None else last + self._policy.worker_restart_interval_s

    def _aged(self, history: WorkerHistory, now: float) -> str | None:
        if history.lifetime is None or now < history.ready_at + history.lifetime:
            return None
        return (
            f"it has worked for {now - history.ready_at:.0f} s, its lifetime is {history.lifetime:.0f} s "
            f"({self._policy.worker_max_lifetime_s:.0f} s and its jitter)"
        )

    def _worn(self, history: WorkerHistory) -> str | None:
        limit = self._policy.worker_max_units
        if limit is None or history.units < limit:
            return None
        return f"it has done {history.units} units, the limit is {limit}"

    def _grown(self, history: WorkerHistory) -> str | None:
        limit = self._policy.worker_max_growth
        return None if limit is None else history.host.growth(limit) or history.gpu.growth(limit)

    def _leaks(self, history: WorkerHistory) -> str | None:
        limit = self._policy.worker_max_leak
        if limit is None:
            return None
        return history.leak.found(limit, history.stages) or history.gpu_leak.found(limit, ())


def _rises(samples: Sequence[int]) -> bool:
    """Whether the least squares line through the samples goes up; exact, in integers."""
    count = len(samples)
    return count >= SLOPE_UNITS and sum((2 * i - count + 1) * y for i, y in enumerate(samples)) > 0
