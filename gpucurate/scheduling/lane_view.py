"""What the autoscaler sees of a segment, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.spec.cluster import Need


@dataclass(frozen=True, slots=True)
class LaneView:
    """A segment at one moment.

    Attributes:
        name: for messages.
        need: what one worker takes.
        is_gpu: whether its workers hold GPUs.
        workers: that live and are not on their way out, those not counted that are to take another's place.
        ready: of them, those that have done their setup.
        starting: of them, those that have not.
        max_workers: the stages' own limit; None for none.
        gang: so many workers that start and end together; 0 for workers that are on their own.
        setup_s: seconds that a worker needs before its first unit.
        seconds_per_unit: of one worker; None before any was measured.
        trusted: whether enough units were measured.
        queued: units that wait for it.
        in_flight: units that its workers have.
        remaining: units that it still has to do, those in flight and those not yet made included.
        oldest_age_s: seconds since the oldest unit in flight was begun.
        is_blocked: whether what it hands on finds no room.
        consumer_starved: whether the next segment waits for it; True for the last one.
        ready_for_s: seconds since its youngest worker was ready.
    """

    name: str
    need: Need
    is_gpu: bool = False
    workers: int = 0
    ready: int = 0
    starting: int = 0
    max_workers: int | None = None
    gang: int = 0
    setup_s: float = 1.0
    seconds_per_unit: float | None = None
    trusted: bool = False
    queued: int = 0
    in_flight: int = 0
    remaining: int = 0
    oldest_age_s: float = 0.0
    is_blocked: bool = False
    consumer_starved: bool = False
    ready_for_s: float = 0.0

    @property
    def cap(self) -> int:
        """Workers that could ever have something to do: no more than units are left. A gang is whole."""
        if self.remaining <= 0:
            return 0
        limit = self.remaining if self.max_workers is None else min(self.remaining, self.max_workers)
        return self.gang or limit

    @property
    def least(self) -> int:
        """Workers without which it does nothing."""
        return min(self.cap, self.gang or 1)

    @property
    def can_work(self) -> bool:
        """Whether it has something to do and somewhere to put it."""
        return self.queued + self.in_flight > 0 and not self.is_blocked


@dataclass(frozen=True, slots=True)
class Targets:
    """How many workers each segment is to have.

    Attributes:
        counts: by segment.
        bottleneck: the segment that sets the pace; None where that is not known.
        why: by segment, a sentence with the figures where the number changes; else empty.
        why_not: by segment, what would be better and why it is not done now; else empty.
    """

    counts: tuple[int, ...]
    bottleneck: int | None
    why: tuple[str, ...]
    why_not: tuple[str, ...]
