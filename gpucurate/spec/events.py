"""What happens to a run, and what is to be done about it: the language of the scheduler.

The scheduler takes events and gives actions; an executor carries actions out and reports
events. Neither holds a reference to the other's world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

FailureKind = Literal["user", "memory", "input", "storage", "configuration"]
"""What went wrong inside a worker that goes on living."""


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """A worker has set its stages up and waits for work."""

    worker: int


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """A worker is gone: killed, crashed, or unreachable."""

    worker: int
    why: str


@dataclass(frozen=True, slots=True)
class SetupFailed:
    """A worker could not set a stage up; it tears down and ends by itself, and ``WorkerDied`` follows."""

    worker: int
    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class UnitDone:
    """A worker has finished a unit."""

    worker: int
    unit: str


@dataclass(frozen=True, slots=True)
class UnitFailed:
    """A stage raised while a unit went through it."""

    worker: int
    unit: str
    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """A signal asks the run to end: finish what is in flight, start nothing."""

    why: str


Event: TypeAlias = WorkerReady | WorkerDied | SetupFailed | UnitDone | UnitFailed | StopRequested


@dataclass(frozen=True, slots=True)
class SpawnWorker:
    """Start a worker."""

    worker: int


@dataclass(frozen=True, slots=True)
class StopWorker:
    """Let a worker tear its stages down and end."""

    worker: int


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Give a unit to a worker."""

    worker: int
    unit: str
    attempt: int


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


@dataclass(frozen=True, slots=True)
class FailRun:
    """End the run: what went wrong is not the fault of one unit."""

    kind: FailureKind | Literal["died"]
    why: str


Action: TypeAlias = SpawnWorker | StopWorker | Dispatch | Commit | Quarantine | FailRun
