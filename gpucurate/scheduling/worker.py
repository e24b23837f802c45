"""A worker as the scheduler knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gpucurate.spec.cluster import Place


class WorkerState(Enum):
    """Life of a worker."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    """Does what it has, and is given nothing."""
    STOPPING = "stopping"
    """Was told to end, or killed; whatever it says of units counts no more."""


@dataclass(slots=True)
class Flight:
    """A unit that a worker has.

    Attributes:
        since: when it was given to the worker.
        working: bytes that it is taken to hold of the node.
    """

    since: float
    working: int


@dataclass(slots=True)
class Worker:
    """One worker of one segment.

    Attributes:
        number: never used twice.
        segment: what it runs.
        place: where.
        born: when it was started.
        gang: which gang it belongs to; 0 for none.
        state: what it is doing.
        flights: units that it has, in the order in which it does them.
        ready_at: when it was set up.
        last_done: when it finished a unit last, or was ready.
        end_by: when it must have ended, once it has been told to.
        replaces: the worker that goes once this one is ready.
        successor: the worker that takes its place.
        is_worn: whether it is replaced for what its process has become: no other may go on in it.
        blamed: the unit that it was killed for: what becomes of that is decided once it is dead.
    """

    number: int
    segment: int
    place: Place
    born: float
    gang: int = 0
    state: WorkerState = WorkerState.STARTING
    flights: dict[str, Flight] = field(default_factory=dict)
    ready_at: float = 0.0
    last_done: float = 0.0
    end_by: float | None = None
    replaces: int | None = None
    successor: int | None = None
    is_worn: bool = False
    blamed: str | None = None

    @property
    def load(self) -> int:
        """Units that it has."""
        return len(self.flights)

    @property
    def is_live(self) -> bool:
        """Whether it counts among the workers of its segment."""
        return self.state in (WorkerState.STARTING, WorkerState.READY)

    def age_of_oldest(self, now: float) -> float:
        """Seconds that it has been at the unit it is at; 0 if at none."""
        for flight in self.flights.values():
            return now - max(flight.since, self.last_done)
        return 0.0
