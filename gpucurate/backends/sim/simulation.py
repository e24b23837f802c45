"""A run of the scheduler on a virtual cluster: the loop of the driver, with a virtual clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from gpucurate.backends.sim.errors import DeadlockError
from gpucurate.backends.sim.history import Committed, History
from gpucurate.backends.sim.laws import Laws
from gpucurate.backends.sim.scenario import Scenario
from gpucurate.backends.sim.world import World
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Node
from gpucurate.spec.decision import Decision
from gpucurate.spec.events import Action, Commit, Dispatch, Event, SpawnWorker, Tick, UnitDone

PATIENCE = 20_000
"""Events in a row without a unit given out or answered, after which a run is taken for dead."""


class Scheduler(Protocol):
    """What the simulation asks of a scheduler."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to wait for."""

    @property
    def peaks(self) -> Sequence[int]:
        """The most bytes that waited behind each segment."""

    def start(self, now: float) -> list[Action]:
        """The first actions."""

    def on(self, event: Event, now: float) -> list[Action]:
        """What follows from an event."""

    def take_decisions(self) -> list[Decision]:
        """Decisions since the last call."""

    def next_wake(self) -> float | None:
        """When a tick is wanted."""


Watch = Callable[[float, Event, list[Action]], None]

MakeCore = Callable[[Sequence[Lane], Sequence[tuple[str, int]], Policy, Sequence[Node]], Scheduler]


class Simulation:
    """Runs a scenario.

    Args:
        scenario: what to run.
        make_core: makes the scheduler.
        watch: is shown every event with the actions that follow, before they are carried out.
        events: end after so many, whatever is left; None for none.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        make_core: MakeCore = Core,
        watch: Watch | None = None,
        events: int | None = None,
    ) -> None:
        self.scenario = scenario
        self.world = World(scenario)
        self.laws = Laws(scenario.lanes, scenario.units, scenario.policy, scenario.nodes)
        self.core = make_core(scenario.lanes, scenario.units, scenario.policy, scenario.nodes)
        self.history = History(len(scenario.units))
        self._watch = watch
        self._events = events
        self._ticked_at = -1.0

    def run(self) -> History:
        """The whole run.

        Raises:
            IllegalActionError: the scheduler asked for what it must not.
            DeadlockError: work is left and nothing will ever happen.
        """
        self._obey(self.core.start(0.0))
        idle = 0
        while not self.core.finished and (self._events is None or len(self.history.thinking) < self._events):
            event = self._next()
            actions = self._tell(event)
            works = isinstance(event, UnitDone) or any(isinstance(action, Dispatch) for action in actions)
            idle = 0 if works else idle + 1
            if idle > PATIENCE:
                raise DeadlockError(self._state(f"{idle} events have led to no work"))
        return self._close()

    def _next(self) -> Event:
        """What happens next; the clock stands at it."""
        clock = self.world.clock
        wake = self.core.next_wake()
        if wake is None and not self.world.under_way:
            raise DeadlockError(self._state("no tick is wanted"))
        news = self.world.next_news(wake if wake is None else max(wake, clock.now))
        if news is not None:
            return news
        if wake is None:
            raise DeadlockError(self._state("no tick is wanted"))
        if self._ticked_at == max(clock.now, wake):
            raise DeadlockError(self._state(f"a tick is wanted again at {wake}: that would never end"))
        self._ticked_at = max(clock.now, wake)
        clock.now = max(clock.now, wake)
        return Tick()

    def _tell(self, event: Event) -> list[Action]:
        now = self.world.clock.now
        self.laws.told(event)
        began = time.thread_time()
        actions = self.core.on(event, now)
        self.history.thinking.append(time.thread_time() - began)
        if self._watch is not None:
            self._watch(now, event, actions)
        self._obey(actions)
        return actions

    def _obey(self, actions: list[Action]) -> None:
        self.laws.check(actions)
        now, history = self.world.clock.now, self.history
        for action in actions:
            self.world.carry_out(action)
            if isinstance(action, Dispatch):
                history.given.append((now, action.segment))
            elif isinstance(action, Commit):
                last = len(self.scenario.lanes) - 1
                history.committed.append(Committed(action.unit, now, self.laws.attempts[action.unit, last]))
            elif isinstance(action, SpawnWorker):
                self._count_workers(now)

    def _count_workers(self, now: float) -> None:
        by_segment = self.laws.roll.by_segment
        counts = tuple(by_segment[segment] for segment in range(len(self.scenario.lanes)))
        self.history.workers.append((now, counts))

    def _close(self) -> History:
        history, laws, tally = self.history, self.laws, self.world.tally
        history.makespan = self.world.clock.now
        history.quarantined = laws.quarantined
        history.failed, history.stopped = laws.failed, laws.stopped
        closed = laws.committed.keys() | laws.quarantined.keys()
        history.lost = [unit for unit, _ in self.scenario.units if unit not in closed]
        history.repeated = [unit for unit, times in tally.finished.items() if times > 1]
        history.left_behind = laws.left_behind()
        history.edge_peaks, history.core_peaks = laws.peaks, list(self.core.peaks)
        history.memory_errors, history.rejected = tally.memory_errors, tally.rejected
        history.deaths, history.service = tally.deaths, tally.service
        history.dispatches = laws.dispatches
        history.decisions = self.core.take_decisions()
        history.ready = [
            [w.ready_s for w in self.world.workers.values() if w.segment == segment and w.ready_s is not None]
            for segment in range(len(self.scenario.lanes))
        ]
        return history

    def _state(self, why: str) -> str:
        laws = self.laws
        left = len(self.scenario.units) - len(laws.committed) - len(laws.quarantined)
        workers = ", ".join(
            f"{worker.number} ({worker.state}, segment {worker.segment}, {len(worker.flight)} units)"
            for worker in laws.roll.workers.values()
        )
        return (
            f"at {self.world.clock.now:.3f} s {left} units are left and {why}; workers: {workers or 'none'}"
        )
