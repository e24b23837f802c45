"""What happens to a run, and what is to be done about it: the language of the scheduler.

The scheduler takes events and gives actions; an executor carries actions out and reports
events. Neither holds a reference to the other's world: workers, units and segments are known
by number or name, memory by bytes, time by seconds of a clock of the caller's.

A unit goes through all segments in order. Within one segment it is given to one worker at a
time; what the segment makes of it stays where it was made until the next segment is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gpucurate.spec.cluster import Node, Place
from gpucurate.spec.figures import Figures
from gpucurate.spec.pickling import quick
from gpucurate.spec.suspect import Suspect

FailureKind = Literal["user", "memory", "input", "storage", "configuration"]
"""What went wrong inside a worker that goes on living."""

DeathKind = Literal["crash", "host_memory", "unreachable", "stopped"]
"""How a worker went: by itself, for lack of memory of its machine, unknown, or because it was told to."""


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """A worker has set its stages up and waits for work; it holds ``memory`` bytes of its machine."""

    worker: int
    memory: int = 0
    gpu_memory: int = 0


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """A worker is gone: killed, crashed, or unreachable.

    Attributes:
        worker: its number.
        why: a sentence.
        kind: how.
        suspect: where it was in its oldest unit, if it kept a journal.
        was_largest: of a lack of host memory: whether no other worker of the machine held more.
        unit: which it was at, where that is known; the oldest that it had otherwise.
    """

    worker: int
    why: str
    kind: DeathKind = "crash"
    suspect: Suspect | None = None
    was_largest: bool = True
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class SetupFailed:
    """A worker could not set a stage up; it tears down and ends by itself, and ``WorkerDied`` follows."""

    worker: int
    kind: FailureKind
    message: str


@quick
@dataclass(frozen=True, slots=True)
class UnitDone:
    """A worker has finished a unit in its segment."""

    worker: int
    unit: str
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True)
class UnitFailed:
    """A stage raised while a unit went through it."""

    worker: int
    unit: str
    kind: FailureKind
    message: str
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True)
class InputLost:
    """A worker cannot load what the segment before made of a unit: it has to be made again."""

    worker: int
    unit: str
    why: str


@dataclass(frozen=True, slots=True)
class NodeUp:
    """A machine joins."""

    node: Node


@dataclass(frozen=True, slots=True)
class NodeDown:
    """A machine is gone, with its workers and whatever lay there."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class StopRequested:
    """A signal asks the run to end: finish what is in flight, start nothing."""

    why: str


Event: TypeAlias = (
    WorkerReady
    | WorkerDied
    | SetupFailed
    | UnitDone
    | UnitFailed
    | InputLost
    | NodeUp
    | NodeDown
    | Tick
    | StopRequested
)


@dataclass(frozen=True, slots=True)
class SpawnWorker:
    """Start a worker of a segment.

    Attributes:
        worker: its number, never used before.
        segment: what it runs.
        place: where.
        rank: its position in the gang, where the segment is one; None otherwise.
        gang: which gang: members of one generation share a number.
        gang_size: how many they are.
    """

    worker: int
    segment: int = 0
    place: Place = field(default_factory=lambda: Place("local"))
    rank: int | None = None
    gang: int = 0
    gang_size: int = 1


@dataclass(frozen=True, slots=True)
class StopWorker:
    """Let a worker tear its stages down and end; it has nothing in flight. ``WorkerDied`` follows.

    Attributes:
        worker: its number.
        is_worn: whether its process is to end too, and not to serve another worker.
    """

    worker: int
    is_worn: bool = False


@dataclass(frozen=True, slots=True)
class KillWorker:
    """End a worker at once. ``WorkerDied`` follows.

    Attributes:
        worker: its number.
        why: a sentence.
        is_stuck: whether it does not go on, so that it is worth knowing where it is.
    """

    worker: int
    why: str
    is_stuck: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Order:
    """How a unit is to be done.

    Attributes:
        attempt: from 1, of this unit in all segments, those that are not charged included.
        batch_cap: bytes of input that a stage is given at a time, at most; None for no limit learnt.
        bisect: whether batches that fail are to be halved until single documents are left, which are
            rejected; the worker keeps a journal, so that a death tells the documents that it was at.
        suspects: documents among which one has ended a worker: they are done in parts, and a single one
            is rejected.
        alone: whether nothing else is in flight.
    """

    attempt: int = 1
    batch_cap: int | None = None
    bisect: bool = False
    suspects: tuple[Suspect, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Give a unit to a worker: at once to one that waits, behind what it has to one that works."""

    worker: int
    unit: str
    segment: int = 0
    order: Order = field(default_factory=Order)


@dataclass(frozen=True, slots=True)
class Release:
    """What a segment made of a unit is needed no more."""

    unit: str
    segment: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Make a unit's outputs final."""

    unit: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Set a unit aside: it failed as often as is tried."""

    unit: str
    kind: FailureKind | Literal["died"]
    why: str
    attempts: int
    segment: int = 0


@dataclass(frozen=True, slots=True)
class FailRun:
    """End the run: what went wrong is not the fault of one unit."""

    kind: FailureKind | Literal["died"]
    why: str


Action: TypeAlias = SpawnWorker | StopWorker | KillWorker | Dispatch | Release | Commit | Quarantine | FailRun
