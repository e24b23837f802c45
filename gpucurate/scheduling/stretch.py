"""One segment while it runs: what waits for it, who works on it, what it has taught."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gpucurate.scheduling.edge import Edge
from gpucurate.scheduling.memory_model import MemoryModel
from gpucurate.scheduling.policy import Lane
from gpucurate.scheduling.roster import Roster
from gpucurate.scheduling.track_record import TrackRecord
from gpucurate.scheduling.worker import Worker


@dataclass(slots=True)
class Stretch:
    """The state of one segment.

    Attributes:
        index: position in the plan.
        lane: what is known of it before.
        remaining: units that have yet to pass it.
        record: what units took and made.
        queue: units that wait for it, in the order in which they go.
        edge: what it hands on; None for the last segment.
        roster: workers that may be given units.
        workers: numbers of all its workers, in any state.
        live: those of them that start or work.
        successors: those that are to take another's place.
        in_flight: units that workers have.
        target: workers that it is to have.
        memory: how large a batch may be.
        blocked_since: since when its edge has kept it from working; None while it has not.
        start_failures: workers that did not start, in a row and with no unit done meanwhile.
    """

    index: int
    lane: Lane
    remaining: int
    edge: Edge | None
    record: TrackRecord
    queue: deque[str] = field(default_factory=deque)
    roster: Roster = field(default_factory=Roster)
    workers: set[int] = field(default_factory=set)
    live: dict[int, Worker] = field(default_factory=dict)
    successors: set[int] = field(default_factory=set)
    in_flight: int = 0
    target: int = 0
    memory: MemoryModel = field(default_factory=MemoryModel)
    blocked_since: float | None = None
    start_failures: int = 0
