"""The simulated cluster: workers, what they made, and everything that goes wrong."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from random import Random

from gpucurate.backends.sim.amounts import Amount, draw_amounts
from gpucurate.backends.sim.attempt import BatchesRun, Outcome, attempt, run_batches
from gpucurate.backends.sim.clock import Clock
from gpucurate.backends.sim.faults import NodeLoss
from gpucurate.backends.sim.gangs import Gangs
from gpucurate.backends.sim.scenario import Scenario
from gpucurate.backends.sim.worker import Given, SimWorker, State
from gpucurate.spec.cluster import Node, Place
from gpucurate.spec.events import (
    Action,
    DeathKind,
    Dispatch,
    Event,
    InputLost,
    KillWorker,
    NodeDown,
    NodeUp,
    Release,
    SetupFailed,
    SpawnWorker,
    StopRequested,
    StopWorker,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.figures import Figures
from gpucurate.spec.suspect import Suspect

HOUR = 3600.0
MISSED_S = 0.05
"""Seconds until a worker sees that its input is not there."""
ZOMBIE_S = 30.0
"""Mean seconds after which a zombie wakes."""


@dataclass(slots=True)
class Tally:
    """What only the world knows, for the history.

    Attributes:
        service: seconds in which workers of a segment worked: (segment, worker, from, to).
        memory_errors: (second, segment, unit, errors).
        rejected: documents rejected, by unit.
        deaths: by cause.
        finished: times that the last segment was done, by unit.
    """

    service: list[tuple[int, int, float, float]] = field(default_factory=list)
    memory_errors: list[tuple[float, int, str, int]] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)


class World:
    """Carries actions out on virtual machines and says what happens.

    Args:
        scenario: what it starts from.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clock = Clock()
        self.tally = Tally()
        self.workers: dict[int, SimWorker] = {}
        self._news: deque[Event] = deque()
        self._faults = scenario.faults
        self.amounts: list[dict[str, Amount]] = draw_amounts(scenario)
        self._made: list[dict[str, Place]] = [{} for _ in scenario.lanes]
        self._tries: Counter[tuple[str, int]] = Counter()
        self._nodes: dict[str, Node] = {node.id: node for node in scenario.nodes}
        self._gangs = Gangs(tuple(lane.gang for lane in scenario.lanes))
        self._rng = Random(f"{scenario.seed}/world")
        self._plan_faults()

    def _plan_faults(self) -> None:
        for loss in self._faults.losses:
            self.clock.fault(loss.at, self._lose_node, loss)
        if self._faults.memory_kills_per_hour:
            for node in self.scenario.nodes:
                self._plan_memory_kill(node.id)
        if self.scenario.stop_at is not None:
            self.clock.fault(self.scenario.stop_at, self._tell, StopRequested("a signal came"))

    def next_news(self, before: float | None) -> Event | None:
        """The next event, and the clock moved to it; None if there is none up to ``before``."""
        while not self._news:
            at = self.clock.next_time()
            if at is None or (before is not None and at > before):
                return None
            self.clock.step()
        return self._news.popleft()

    @property
    def under_way(self) -> bool:
        """Whether anything will happen by itself, faults excepted."""
        return bool(self._news) or self.clock.under_way > 0

    def carry_out(self, action: Action) -> None:
        """Do what the scheduler asks for."""
        match action:
            case Dispatch(worker, unit, _, order):
                self.clock.after(self.scenario.links.latency_s, self._receive, worker, Given(unit, order))
            case Release(unit, segment):
                self._made[segment].pop(unit, None)
            case SpawnWorker():
                self._spawn(action)
            case StopWorker(worker):
                self.clock.after(self.scenario.links.latency_s, self._stop, self.workers[worker])
            case KillWorker(worker, why):
                self._kill(self.workers[worker], why)

    # --- news ---

    def _tell(self, event: Event) -> None:
        self._news.append(event)

    def _report(self, worker: SimWorker, event: Event) -> None:
        self.clock.after(self.scenario.links.latency_s, self._tell, event)

    def _chance(self, share: float) -> bool:
        return share > 0 and self._rng.random() < share

    # --- life of a worker ---

    def _spawn(self, action: SpawnWorker) -> None:
        lane = self.scenario.lanes[action.segment]
        worker = SimWorker(
            action.worker,
            action.segment,
            action.place,
            self.scenario.models[action.segment],
            action.gang if lane.gang else None,
        )
        self.workers[action.worker] = worker
        self._gangs.join(worker)
        if action.place.node not in self._nodes:  # it is gone, and the scheduler will be told
            worker.state = State.GONE
            return
        seconds = worker.model.setup.draw(self._rng)
        if self._chance(self._faults.setups_slow):
            seconds *= self._faults.slow_factor
        self.clock.after(seconds, self._set_up, worker)

    def _plan_worker_faults(self, worker: SimWorker) -> None:
        if rate := self._faults.crashes_per_hour:
            self.clock.fault(self._rng.expovariate(rate / HOUR), self._die, worker, "crash", "it crashed")
        if rate := self._faults.hangs_per_hour:
            self.clock.fault(self._rng.expovariate(rate / HOUR), self._hang, worker)

    def _set_up(self, worker: SimWorker) -> None:
        if worker.state is State.GONE or self._held_up(worker, self._set_up, worker):
            return
        if self._chance(self._faults.setups_crash):
            self._die(worker, "crash", "it crashed in its setup")
        elif self._chance(self._faults.setups_fail):
            self._report(worker, SetupFailed(worker.number, "user", "a stage raised in its setup"))
            self._die(worker, "crash", "its setup failed")
        else:
            for ready in self._gangs.arrive(worker):
                self._ready(ready)

    def _ready(self, worker: SimWorker) -> None:
        worker.state, worker.ready_s = State.READY, self.clock.now
        self._plan_worker_faults(worker)
        self._report(worker, WorkerReady(worker.number, worker.held, 0))
        self._next(worker)

    def _held_up(self, worker: SimWorker, again: object, *about: object) -> bool:
        """Whether a worker hangs; what it was to do comes when it wakes, if it does."""
        if worker.hung_until <= self.clock.now:
            return False
        if worker.hung_until < math.inf:
            self.clock.after(worker.hung_until - self.clock.now, again, *about)  # type: ignore[arg-type]
        return True

    def _hang(self, worker: SimWorker) -> None:
        if worker.state is not State.GONE:
            seconds = self._faults.hang_s
            worker.hung_until = math.inf if seconds is None else self.clock.now + seconds

    def _die(self, worker: SimWorker, kind: DeathKind, why: str, suspect: Suspect | None = None) -> None:
        if worker.state is State.GONE:
            return
        worker.state = State.GONE
        self.tally.deaths[why] += 1
        if not worker.zombie:
            death = WorkerDied(worker.number, why, kind, suspect)
            self.clock.after(self._faults.detected_s, self._tell, death)

    def _stop(self, worker: SimWorker) -> None:
        if worker.state is not State.GONE and not self._held_up(worker, self._stop, worker):
            self.clock.after(worker.model.teardown_s, self._die, worker, "stopped", "it was told to end")

    def _kill(self, worker: SimWorker, why: str) -> None:
        hung = worker.hung_until > self.clock.now
        if worker.state is not State.GONE and hung and self._chance(self._faults.zombies):
            worker.zombie = True
            self._report(worker, WorkerDied(worker.number, why, "unreachable"))
            self.clock.fault(self._rng.expovariate(1 / ZOMBIE_S), self._wake, worker)
        else:
            self._die(worker, "stopped", why)

    def _wake(self, worker: SimWorker) -> None:
        """A zombie comes to itself, ends its unit, and tells."""
        if worker.state is not State.GONE and worker.at is not None:
            self._tell(UnitDone(worker.number, worker.at.unit))
        worker.state = State.GONE

    # --- work ---

    def _receive(self, number: int, given: Given) -> None:
        worker = self.workers[number]
        if worker.state is State.GONE:
            return
        if worker.model.prefetch:
            given.loaded_at = self.clock.now + self._load_seconds(worker, given.unit)
        worker.queue.append(given)
        self._next(worker)

    def _source(self, worker: SimWorker, unit: str) -> Place | None:
        return self._made[worker.segment - 1].get(unit) if worker.segment else worker.place

    def _load_seconds(self, worker: SimWorker, unit: str) -> float:
        source = self._source(worker, unit)
        if worker.segment == 0 or source is None:
            return 0.0
        given = self.amounts[worker.segment][unit].given
        return self.scenario.links.seconds(given, source, worker.place)

    def _next(self, worker: SimWorker) -> None:
        if worker.state is not State.READY or worker.at is not None or not worker.queue:
            return
        given = worker.at = worker.queue.popleft()
        if self._source(worker, given.unit) is None or (
            worker.segment and self._chance(self._faults.inputs_lost)
        ):
            self.clock.after(MISSED_S, self._miss, worker, given)
        elif worker.model.prefetch:
            self._begin(worker, given, max(0.0, given.loaded_at - self.clock.now))
        else:
            self._begin(worker, given, self._load_seconds(worker, given.unit))

    def _miss(self, worker: SimWorker, given: Given) -> None:
        if worker.state is State.GONE or self._held_up(worker, self._miss, worker, given):
            return
        self._made[worker.segment - 1].pop(given.unit, None)
        self._report(worker, InputLost(worker.number, given.unit, "what was handed on is not there"))
        worker.at = None
        self._next(worker)

    def _begin(self, worker: SimWorker, given: Given, loading: float) -> None:
        amount, key = self.amounts[worker.segment][given.unit], (given.unit, worker.segment)
        trouble = self._faults.troubles.get(given.unit)
        if trouble is not None and trouble.segment != worker.segment:
            trouble = None
        outcome = attempt(trouble, self._tries[key], given.order)
        self._tries[key] += 1
        memory = worker.model.batches
        batches = (
            run_batches(memory, amount.per_byte, amount.given, given.order.batch_cap)
            if memory
            else BatchesRun()
        )
        seconds = amount.seconds * worker.model.noise.draw(self._rng)
        if memory:
            seconds += batches.errors * memory.retry_s
        if outcome.end != "done":
            seconds *= self._rng.random()
        started = self.clock.now + loading
        self.clock.after(loading + seconds, self._end, worker, given, outcome, batches, started)

    def _end(
        self, worker: SimWorker, given: Given, outcome: Outcome, batches: BatchesRun, started: float
    ) -> None:
        if worker.state is State.GONE or self._gangs.broken(worker):
            return  # a member whose peer is gone waits for it until it is killed
        if self._held_up(worker, self._end, worker, given, outcome, batches, started):
            return
        self.tally.service.append((worker.segment, worker.number, started, self.clock.now))
        worker.busy_s += self.clock.now - started
        if batches.errors:
            about = (self.clock.now, worker.segment, given.unit, batches.errors)
            self.tally.memory_errors.append(about)
        worker.held += worker.model.leak
        if outcome.end == "died":
            self._die(worker, "crash", "its unit ended it", outcome.suspect)
            return
        self._report(worker, self._answer(worker, given, outcome, batches, started))
        worker.at = None
        self._next(worker)

    def _answer(
        self, worker: SimWorker, given: Given, outcome: Outcome, batches: BatchesRun, started: float
    ) -> Event:
        unit, amount = given.unit, self.amounts[worker.segment][given.unit]
        figures = Figures(self.clock.now - started, amount.made, worker.held, 0, batches.samples)
        if outcome.end == "raised":
            return UnitFailed(worker.number, unit, outcome.kind, "a stage raised", figures)
        if not batches.fits:
            return UnitFailed(worker.number, unit, "memory", "memory ran out", figures)
        self.tally.rejected[unit] += outcome.rejected + batches.rejected
        if worker.segment == len(self.scenario.lanes) - 1:
            self.tally.finished[unit] += 1
        else:
            self._made[worker.segment][unit] = worker.place
        return UnitDone(worker.number, unit, figures)

    # --- machines ---

    def _lose_node(self, loss: NodeLoss) -> None:
        node = self._nodes.pop(loss.node, None)
        if node is None:
            return
        for worker in self.workers.values():
            if worker.place.node == loss.node and worker.state is not State.GONE:
                told_apart = self._chance(0.5)  # some deaths are seen before that of the node, or after it
                worker.zombie = not told_apart
                self._die(worker, "unreachable", "its node is gone")
        for made in self._made:
            for unit in [unit for unit, place in made.items() if place.node == loss.node]:
                del made[unit]
        self.clock.after(loss.told_s, self._tell, NodeDown(loss.node, "no answer"))
        if loss.back_s is not None:
            self.clock.after(loss.told_s + loss.back_s, self._return_node, node)

    def _return_node(self, node: Node) -> None:
        self._nodes[node.id] = node
        self._tell(NodeUp(node))

    def _plan_memory_kill(self, node: str) -> None:
        seconds = self._rng.expovariate(self._faults.memory_kills_per_hour / HOUR)
        self.clock.fault(seconds, self._memory_kill, node)

    def _memory_kill(self, node: str) -> None:
        there = [w for w in self.workers.values() if w.place.node == node and w.state is State.READY]
        for order, worker in enumerate(self._rng.sample(there, min(2, len(there)))):
            worker.state = State.GONE
            self.tally.deaths["host memory"] += 1
            why = "the machine ran out of memory"
            self._report(worker, WorkerDied(worker.number, why, "host_memory", None, order == 0))
        self._plan_memory_kill(node)
