"""What goes wrong in a simulated cluster. Rates are of random faults, the rest happens as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gpucurate.spec.events import FailureKind


@dataclass(frozen=True, slots=True)
class Trouble:
    """A unit that something is wrong with.

    Attributes:
        segment: where it shows.
        kind: ``kills`` ends the worker, another one is what the stage raises.
        times: so many attempts show it, then the unit passes; None for every attempt.
        rows: documents of the unit, of which ``bad`` are at fault; 0 if it cannot be told which.
        bad: the documents at fault.
    """

    segment: int
    kind: FailureKind | Literal["kills"]
    times: int | None = None
    rows: int = 0
    bad: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeLoss:
    """A node that goes away.

    Attributes:
        node: which.
        at: second at which its workers die.
        told_s: seconds until the scheduler is told.
        back_s: seconds until it joins again, counted from when that was told; None for never.
    """

    node: str
    at: float
    told_s: float = 1.0
    back_s: float | None = None


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of one simulation.

    Attributes:
        crashes_per_hour: of one worker, once it is set up.
        hangs_per_hour: of one worker, once it is set up: it stops answering.
        hang_s: for how many seconds; None for good.
        zombies: share of hung workers that a kill does not reach: they report their unit later.
        setups_crash: share of setups that end with a crash.
        setups_fail: share of setups in which a stage raises.
        setups_slow: share of setups that take ``slow_factor`` times as long.
        slow_factor: how many times.
        inputs_lost: share of loads that do not find their input.
        memory_kills_per_hour: of one node: its system kills a worker, and an innocent one with it.
        detected_s: seconds until a death is noticed.
        losses: nodes that go.
        troubles: units that something is wrong with, by id.
    """

    crashes_per_hour: float = 0.0
    hangs_per_hour: float = 0.0
    hang_s: float | None = None
    zombies: float = 0.0
    setups_crash: float = 0.0
    setups_fail: float = 0.0
    setups_slow: float = 0.0
    slow_factor: float = 10.0
    inputs_lost: float = 0.0
    memory_kills_per_hour: float = 0.0
    detected_s: float = 0.01
    losses: tuple[NodeLoss, ...] = ()
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
