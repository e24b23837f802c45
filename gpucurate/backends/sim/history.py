"""What came of a simulated run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gpucurate.spec.decision import Decision
from gpucurate.spec.events import FailRun, Quarantine


@dataclass(frozen=True, slots=True)
class Committed:
    """A unit whose outputs are final.

    Attributes:
        unit: its id.
        at: when, in seconds.
        attempts: of its last segment.
    """

    unit: str
    at: float
    attempts: int


@dataclass(slots=True)
class History:
    """A run, from its start to its end.

    Attributes:
        makespan: seconds.
        units: how many there were.
        committed: in order.
        quarantined: by unit.
        lost: units that are neither.
        failed: why the run was given up, if it was.
        stopped: whether a signal ended it.
        repeated: units whose last segment was done more than once; only one result counts.
        left_behind: what was handed on and never released: (unit, segment).
        edge_peaks: the most bytes that waited behind each segment.
        core_peaks: the same, as the scheduler has it.
        memory_errors: (second, segment, unit, times).
        rejected: documents rejected, by unit.
        deaths: by cause.
        workers: (second, workers alive by segment), at each change.
        service: (segment, worker, from, to) of every attempt that was worked on.
        given: (second, segment) of every dispatch.
        ready: second at which each worker was ready, by segment.
        dispatches: how often each (unit, segment) was given to a worker.
        decisions: what the scheduler decided.
        thinking: processor seconds that the scheduler took for each event.
    """

    units: int
    makespan: float = 0.0
    committed: list[Committed] = field(default_factory=list)
    quarantined: dict[str, Quarantine] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    failed: FailRun | None = None
    stopped: bool = False
    repeated: list[str] = field(default_factory=list)
    left_behind: list[tuple[str, int]] = field(default_factory=list)
    edge_peaks: list[int] = field(default_factory=list)
    core_peaks: list[int] = field(default_factory=list)
    memory_errors: list[tuple[float, int, str, int]] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    workers: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    service: list[tuple[int, int, float, float]] = field(default_factory=list)
    given: list[tuple[float, int]] = field(default_factory=list)
    ready: list[list[float]] = field(default_factory=list)
    dispatches: Counter[tuple[str, int]] = field(default_factory=Counter)
    decisions: list[Decision] = field(default_factory=list)
    thinking: list[float] = field(default_factory=list)

    def thinking_at(self, share: float) -> float:
        """Processor seconds below which ``share`` of the decisions were taken."""
        ordered = sorted(self.thinking)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def busy_share(self, segment: int, places: int, *, start: float, stop: float) -> float:
        """Share of ``places`` workers' time in which a segment worked, between two seconds.

        Args:
            segment: which.
            places: workers that could work at a time, for instance GPUs.
            start: when it is warm.
            stop: when its work runs out.
        """
        worked = sum(
            max(0.0, min(until, stop) - max(since, start))
            for where, _, since, until in self.service
            if where == segment
        )
        return worked / (places * (stop - start)) if stop > start else 0.0

    def full_size_at(self, segment: int, workers: int) -> float | None:
        """When so many workers of a segment were ready for the first time; None if they never were."""
        ready = sorted(self.ready[segment])
        return ready[workers - 1] if len(ready) >= workers else None

    def last_given(self, segment: int) -> float:
        """When a segment was given its last unit."""
        return max((at for at, where in self.given if where == segment), default=0.0)
