"""How many workers each segment gets: max-min by speed, large at once, and no flapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from gpucurate.scheduling.allocation import Allocation
from gpucurate.scheduling.lane_view import LaneView, Targets
from gpucurate.scheduling.policy import Policy
from gpucurate.spec.cluster import Node

GAIN = 1.1
"""A worker is taken from one segment for another only if the slowest gets faster by so much,"""

PATIENCE = 3
"""in so many cycles on end."""

IDLE = 1.5
"""A segment of the CPU that has so many times the workers that are of use, and one, gives the rest back."""

_WARM_CYCLES = 6
_REAL_CHANGE = 1.5
_SMOOTHING = 0.1


@dataclass(slots=True)
class _Memory:
    """What is kept of a segment between cycles."""

    seconds: float | None = None  # per unit, smoothed
    samples: int = 0
    over: int = 0  # cycles on end in which it had more than it needs and another less
    target: int = 0

    def learn(self, seconds: float) -> None:
        known = self.seconds
        if known is None or not known / _REAL_CHANGE <= seconds <= known * _REAL_CHANGE:
            self.seconds, self.samples = seconds, 1
            return
        self.samples += 1
        self.seconds = known + max(_SMOOTHING, 1 / self.samples) * (seconds - known)


class Autoscaler:
    """Numbers of workers by segment (SCHEDULER.md 10.4).

    A segment's work is the seconds that one worker would need for all units that it has left:
    speed normalised by its share of the chain. Workers go one by one to the segment that would be
    done last, as long as they fit. Speeds are averaged over cycles, unless they change by half:
    noise of 20% moves nothing, a real change counts at once. A segment whose oldest unit takes
    longer than its average is as slow as that unit makes it. What is unmeasured is taken for
    as slow as the median of the others.

    - Before anything is measured all that fits is given away at once, evenly. Segments of the GPU are
      always as large as can be, and never shrink for one of the CPU.
    - A segment has no more workers than units left: what it does not need it gives away at once.
    - Later a segment grows by half per cycle (by one until five units are measured), and only where
      what is left takes its workers more than twice their setup.
    - Else it shrinks only where the slowest gets at least 10% faster by that, or where (on the CPU) a third
      of its workers has been of no use, three cycles on end, where its youngest worker is ready for six
      cycles (a minute by default), and its own speed is trusted.
    - One worker (or gang) of each segment comes before a second of any. Where they do not fit
      together, segments take turns: one works until it is blocked or has nothing.

    Args:
        policy: for the interval.
    """

    def __init__(self, policy: Policy) -> None:
        self._interval = policy.autoscale_interval_s
        self._memories: dict[int, _Memory] = {}
        self._cycle_at: float | None = None

    def targets(
        self,
        now: float,
        lanes: Sequence[LaneView],
        nodes: Iterable[Node],
        max_workers_total: int | None = None,
    ) -> Targets:
        """How many workers each segment is to have now.

        A cycle is counted once per interval; calls in between give away what is needed no more,
        replace workers that died, and see that each segment has one.

        Args:
            now: seconds.
            lanes: the segments in order.
            nodes: the cluster, everything that the run may use.
            max_workers_total: of all segments together; None for as many as fit.
        """
        return _Round(self, now, lanes, list(nodes), max_workers_total).targets()

    def memory_of(self, index: int) -> _Memory:
        """What is known of a segment from earlier rounds."""
        return self._memories.setdefault(index, _Memory())

    def begins_cycle(self, now: float) -> bool:
        """Whether a cycle begins; if so it is counted."""
        if self._cycle_at is not None and now - self._cycle_at < self._interval * 0.999:
            return False
        self._cycle_at = now
        return True

    @property
    def warm_s(self) -> float:
        """Seconds that a segment keeps a worker once it is ready."""
        return _WARM_CYCLES * self._interval


class _Round:
    """One answer of the autoscaler."""

    def __init__(
        self, scaler: Autoscaler, now: float, lanes: Sequence[LaneView], nodes: list[Node], total: int | None
    ) -> None:
        self._lanes, self._nodes, self._total, self._warm_s = lanes, nodes, total, scaler.warm_s
        self._memories = [scaler.memory_of(index) for index in range(len(lanes))]
        self._is_cycle = scaler.begins_cycle(now)
        self._is_first = all(lane.seconds_per_unit is None for lane in lanes)
        if self._is_cycle:
            self._learn()
        self._seconds = self._speeds()
        self._work = [
            max(lane.remaining * each, 1e-9) for lane, each in zip(lanes, self._seconds, strict=True)
        ]
        self._before = [
            max(lane.workers, memory.target) for lane, memory in zip(lanes, self._memories, strict=True)
        ]
        self._have = [min(before, lane.cap) for before, lane in zip(self._before, lanes, strict=True)]
        self._notes = [""] * len(lanes)

    def targets(self) -> Targets:
        ideal = Allocation(self._lanes, self._nodes, self._total)
        ideal.fill_ideally(self._work)
        self._want = ideal.counts
        self._gain = self._pace(self._want) / max(self._pace(self._have), 1e-12)
        if self._is_cycle:
            self._count_over()
        counts = self._settle()
        for memory, count in zip(self._memories, counts, strict=True):
            memory.target = count
        why = [self._why(index, count) for index, count in enumerate(counts)]
        why_not = [
            note and f"{lane.name}: {note}" for lane, note in zip(self._lanes, self._notes, strict=True)
        ]
        return Targets(tuple(counts), self._bottleneck(counts), tuple(why), tuple(why_not))

    def _learn(self) -> None:
        for lane, memory in zip(self._lanes, self._memories, strict=True):
            if lane.seconds_per_unit is not None:
                memory.learn(lane.seconds_per_unit)

    def _speeds(self) -> list[float]:
        known = [
            lane.seconds_per_unit if memory.seconds is None else memory.seconds
            for lane, memory in zip(self._lanes, self._memories, strict=True)
        ]
        usual = median([each for each in known if each is not None] or [1.0])
        return [
            _aged(lane, usual if each is None else each)
            for lane, each in zip(self._lanes, known, strict=True)
        ]

    def _pace(self, counts: Sequence[int]) -> float:
        """Of the slowest segment: workers per second of work; those as large as their rest do not count."""
        paces = [
            counts[index] / self._work[index]
            for index, lane in enumerate(self._lanes)
            if lane.remaining > counts[index]
        ]
        return min(paces, default=float("inf"))

    def _count_over(self) -> None:
        for index, memory in enumerate(self._memories):
            memory.over = memory.over + 1 if self._has_too_many(index) else 0

    def _has_too_many(self, index: int) -> bool:
        return self._is_idle(index) or (self._have[index] > self._want[index] and self._gain >= GAIN)

    def _is_idle(self, index: int) -> bool:
        """Whether many of its workers are of no use to anyone; those with a GPU are held through lulls."""
        lane, want = self._lanes[index], max(self._want[index], self._lanes[index].least)
        return not (lane.is_gpu or lane.gang) and self._have[index] >= IDLE * (want + 1)

    def _settle(self) -> list[int]:
        """From what there is towards what is wanted, as far as the rules let it."""
        fresh = Allocation(self._lanes, self._nodes, self._total)
        keep = [self._kept(index) for index in range(len(self._lanes))]
        self._fill(fresh, keep)
        if any(fresh.counts[index] < keep[index] for index in fresh.shared):
            return self._unfit(fresh, keep)
        self._fill(fresh, [self._goal(index) for index in range(len(self._lanes))])
        stay = [keep[i] if self._is_idle(i) else have for i, have in enumerate(self._have)]
        self._fill(fresh, stay)  # who need not give way stays
        return fresh.counts

    def _fill(self, allocation: Allocation, caps: Sequence[int]) -> None:
        allocation.fill([index for index in allocation.shared if self._lanes[index].is_gpu], caps, self._work)
        allocation.fill(allocation.shared, caps, self._work)

    def _unfit(self, fresh: Allocation, keep: list[int]) -> list[int]:
        """What lives fits, whatever the first fit here says; but each segment needs its least."""
        lanes = self._lanes
        if all(lanes[index].workers >= lanes[index].least for index in fresh.shared):
            return [
                min(keep[index], lane.workers) if index in fresh.shared else 0
                for index, lane in enumerate(lanes)
            ]
        return fresh.counts

    def _kept(self, index: int) -> int:
        least = max(self._want[index], self._lanes[index].least)
        return least if self._has_too_many(index) and self._may_shrink(index) else self._have[index]

    def _may_shrink(self, index: int) -> bool:
        lane, memory = self._lanes[index], self._memories[index]
        spare = f"{self._want[index]} would do, but "
        if not lane.trusted:
            self._notes[index] = spare + "its speed is not known well yet"
        elif lane.starting or lane.ready_for_s < self._warm_s:
            self._notes[index] = spare + f"its youngest worker is ready for {lane.ready_for_s:.0f} s only"
        elif memory.over < PATIENCE:
            self._notes[index] = spare + f"only in {memory.over} of {PATIENCE} cycles so far"
        else:
            return True
        return False

    def _goal(self, index: int) -> int:
        """How far it may grow in this cycle."""
        lane, have, want = self._lanes[index], self._have[index], self._want[index]
        if want <= have or self._is_first or lane.gang:
            return want
        if lane.seconds_per_unit is not None and have and self._time_left(index, have) <= 2 * lane.setup_s:
            self._notes[index] = (
                f"not {want}: {self._time_left(index, have):.1f} s of work are left, "
                f"a worker needs {lane.setup_s:.1f} s to set up"
            )
            return have
        if lane.is_gpu:
            return want
        step = have + max(1, have // 2) if lane.trusted else have + 1
        step = step if self._is_cycle else have
        if step < want:
            self._notes[index] = f"not {want} at once: " + (
                "it grows by half per cycle"
                if lane.trusted
                else "too few units are measured for more than one"
            )
        return min(want, step)

    def _time_left(self, index: int, workers: int) -> float:
        return self._work[index] / workers

    def _bottleneck(self, counts: Sequence[int]) -> int | None:
        """Queues name it: the deepest with input for all while the next one waits; else the slowest."""
        lanes = self._lanes
        for index in reversed(range(len(lanes))):
            lane = lanes[index]
            if lane.ready and lane.queued >= lane.ready and lane.consumer_starved and not lane.is_blocked:
                return index
        trusted = [index for index, lane in enumerate(lanes) if lane.trusted and lane.remaining > 0]
        return min(trusted, key=lambda index: (counts[index] / self._work[index], index), default=None)

    def _why(self, index: int, count: int) -> str:
        lane = self._lanes[index]
        before = self._before[index]
        if count == before:
            return ""
        change = f"{lane.name}: {before} to {count} workers"
        if lane.remaining <= 0:
            return f"{change}: nothing is left to do"
        if count == 0:
            return f"{change}: not every segment has room for a worker, and it is another one's turn"
        known = "" if lane.seconds_per_unit is not None else " as far as is known"
        took = f"{lane.remaining} units of {self._seconds[index]:.3g} s are left{known}"
        then = f"{self._time_left(index, count):.3g} s for {count}"
        if not before:
            return f"{change}: {took}, {then}"
        return f"{change}: {took}, {self._time_left(index, before):.3g} s for {before}, {then}"


def _aged(lane: LaneView, seconds: float) -> float:
    """Seconds per unit if the oldest unit in flight ended now: the others are taken for average."""
    if not lane.in_flight:
        return seconds
    return max(seconds, (seconds * (lane.in_flight - 1) + lane.oldest_age_s) / lane.in_flight)
