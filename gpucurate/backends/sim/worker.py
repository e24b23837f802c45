"""One simulated worker: what it has been given, and how it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from gpucurate.backends.sim.model import LaneModel
from gpucurate.spec.cluster import Place
from gpucurate.spec.events import Order


class State(Enum):
    """Life of a simulated worker, as it is and not as anybody has been told."""

    SETUP = "setup"
    READY = "ready"
    GONE = "gone"


@dataclass(slots=True)
class Given:
    """A unit that a worker was given.

    Attributes:
        unit: its id.
        order: how it is to be done.
        loaded_at: when its input is there, where it is loaded ahead.
    """

    unit: str
    order: Order
    loaded_at: float = 0.0


@dataclass(slots=True, eq=False)
class SimWorker:
    """A worker.

    Attributes:
        number: never used twice.
        segment: what it runs.
        place: where.
        model: what it takes.
        gang: which gang, if it is in one.
        state: how it is.
        queue: what waits in it.
        at: what it is at.
        hung_until: it does nothing before; infinity for good.
        zombie: it has been given up, and does not know.
        held: bytes of host memory.
        busy_s: seconds of work done.
        ready_s: when its setup was done.
    """

    number: int
    segment: int
    place: Place
    model: LaneModel
    gang: int | None = None
    state: State = State.SETUP
    queue: deque[Given] = field(default_factory=deque)
    at: Given | None = None
    hung_until: float = 0.0
    zombie: bool = False
    held: int = 0
    busy_s: float = 0.0
    ready_s: float | None = None
