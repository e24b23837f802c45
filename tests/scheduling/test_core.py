"""The scheduler against random crashes, failures, stop requests and late reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Policy
from gpucurate.spec import events as ev


@dataclass
class Cluster:
    """Plays the workers: what becomes of each is drawn, what the scheduler may do is checked."""

    core: Core
    sizes: dict[str, int]
    draw: object
    poison: frozenset[str] = frozenset()
    crash_rate: int = 0
    starting: set[int] = field(default_factory=set)
    idle: set[int] = field(default_factory=set)
    busy: dict[int, str] = field(default_factory=dict)
    stopping: set[int] = field(default_factory=set)
    late: list[ev.Event] = field(default_factory=list)
    committed: Counter[str] = field(default_factory=Counter)
    quarantined: dict[str, ev.Quarantine] = field(default_factory=dict)
    failed: ev.FailRun | None = None
    tries: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    history: list[tuple[ev.Event | None, list[ev.Action]]] = field(default_factory=list)

    def carry_out(self, event: ev.Event | None, actions: list[ev.Action]) -> None:
        self.history.append((event, actions))
        for action in actions:
            match action:
                case ev.SpawnWorker(worker):
                    self.starting.add(worker)
                    assert self.alive <= self.core.policy.workers
                case ev.StopWorker(worker):
                    assert worker in self.starting | self.idle, "only a worker without work is stopped"
                    self.starting.discard(worker)
                    self.idle.discard(worker)
                    self.stopping.add(worker)
                case ev.Dispatch(worker, unit, attempt):
                    assert worker in self.idle, "a unit goes to an idle worker"
                    assert unit not in self.busy.values(), "a unit runs once at a time"
                    assert not self.committed[unit]
                    assert unit not in self.quarantined
                    assert not (self.stopped or self.failed), "nothing is begun after the end was asked for"
                    self.idle.remove(worker)
                    self.busy[worker] = unit
                    self.tries[unit] += 1
                    assert attempt == self.tries[unit]
                    in_flight = sum(self.sizes[u] for u in self.busy.values())
                    assert len(self.busy) == 1 or in_flight <= self.core.policy.budget_bytes
                case ev.Commit(unit):
                    self.committed[unit] += 1
                case ev.Quarantine(unit):
                    assert unit not in self.quarantined
                    self.quarantined[unit] = action
                case ev.FailRun():
                    assert self.failed is None
                    self.failed = action
        assert self.core.admission.in_flight == sum(self.sizes[unit] for unit in self.busy.values())

    @property
    def alive(self) -> int:
        return len(self.starting) + len(self.idle) + len(self.busy) + len(self.stopping)

    def tell(self, event: ev.Event) -> None:
        self.carry_out(event, self.core.on(event))

    def step(self) -> None:
        """One random thing happens."""
        choose = self.draw
        if self.late and choose(4) == 0:
            self.tell(self.late.pop())
            return
        happenings = [*sorted(self.starting), *sorted(self.busy), *sorted(self.stopping), *sorted(self.idle)]
        worker = happenings[choose(len(happenings))]
        crashes = choose(100) < self.crash_rate
        if worker in self.stopping:
            self.stopping.remove(worker)
            self.tell(ev.WorkerDied(worker, "stopped"))
        elif worker in self.idle:
            if crashes:
                self.idle.remove(worker)
                self.tell(ev.WorkerDied(worker, "killed by SIGKILL"))
        elif worker in self.starting:
            self.starting.remove(worker)
            self.idle.add(worker)
            self.tell(ev.WorkerReady(worker))
        else:
            self.finish(worker, self.busy.pop(worker), crashes)

    def finish(self, worker: int, unit: str, crashes: bool) -> None:
        if crashes or (unit in self.poison and self.draw(2)):
            if self.draw(2):  # a report that was under way while the worker was given up
                self.late.append(ev.UnitDone(worker, unit))
            self.tell(ev.WorkerDied(worker, "killed by SIGKILL"))
            return
        self.idle.add(worker)
        if unit in self.poison:
            self.tell(ev.UnitFailed(worker, unit, "user", "boom"))
        else:
            self.tell(ev.UnitDone(worker, unit))

    def run(self, stop_at: int | None = None) -> None:
        self.carry_out(None, self.core.start())
        for step in range(10_000):
            if step == stop_at:
                self.stopped = True
                self.tell(ev.StopRequested("signal 15"))
            if self.core.finished:
                return
            assert self.alive, "work is left, and nothing will ever happen"
            self.step()
        raise AssertionError("the run does not end")


def cluster(data: st.DataObject, units: int, policy: Policy, **options: object) -> Cluster:
    random = Random(data.draw(st.integers(0, 2**32), label="seed"))
    sizes = {f"u{i}": random.randint(1, 120) for i in range(units)}
    return Cluster(Core(sizes.items(), policy), sizes, random.randrange, **options)  # type: ignore[arg-type]


policies = st.builds(Policy, workers=st.integers(1, 6), budget_bytes=st.integers(1, 300))


@settings(max_examples=2000, deadline=None)
@given(st.data(), st.integers(0, 25), policies, st.integers(0, 15))
def test_whatever_crashes_no_unit_is_lost_or_committed_twice(data, units, policy, crash_rate):
    world = cluster(data, units, policy, crash_rate=crash_rate)
    world.run()
    assert max(world.committed.values(), default=0) <= 1
    if world.failed is None:
        assert set(world.committed) | set(world.quarantined) == set(world.sizes)
        assert not set(world.committed) & set(world.quarantined)
    assert all(q.attempts == policy.max_attempts for q in world.quarantined.values())


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 25), policies, st.integers(0, 60))
def test_a_stop_request_ends_the_run_with_what_is_in_flight(data, units, policy, stop_at):
    world = cluster(data, units, policy, crash_rate=5)
    world.run(stop_at)
    assert not world.alive


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(4, 25), policies)
def test_poison_is_set_aside_and_innocent_units_are_not(data, units, policy):
    poison = frozenset(data.draw(st.sets(st.sampled_from([f"u{i}" for i in range(units)]), max_size=2)))
    world = cluster(data, units, policy, poison=poison)
    world.run()
    assert world.failed is None
    assert set(world.quarantined) == poison
    assert all(world.tries[unit] == policy.max_attempts for unit in poison)
    assert set(world.committed) == set(world.sizes) - poison


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(3, 200), policies)
def test_a_fault_that_hits_every_unit_ends_the_run_early(data, units, policy):
    world = cluster(data, units, policy, poison=frozenset(f"u{i}" for i in range(units)))
    world.run()
    assert world.failed is not None
    assert "failures in a row" in world.failed.why
    assert sum(world.tries.values()) <= policy.systemic_units * policy.max_attempts + policy.workers


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 20), policies, st.integers(0, 15))
def test_the_same_events_give_the_same_actions(data, units, policy, crash_rate):
    world = cluster(data, units, policy, crash_rate=crash_rate)
    world.run()
    again = Core(world.sizes.items(), policy)
    for event, actions in world.history:
        assert (again.start() if event is None else again.on(event)) == actions


def run_until(core: Core, *events: ev.Event) -> list[ev.Action]:
    actions = core.start()
    for event in events:
        actions = core.on(event)
    return actions


@pytest.mark.parametrize("kind", ["storage", "configuration"])
def test_a_failure_that_no_unit_would_be_spared_ends_the_run_at_once(kind):
    core = Core([("a", 1), ("b", 1)], Policy(1, 10))
    actions = run_until(core, ev.WorkerReady(0), ev.UnitFailed(0, "a", kind, "disk full"))
    assert actions == [ev.FailRun(kind, "disk full"), ev.StopWorker(0)]


def test_a_broken_input_is_set_aside_without_a_second_try():
    core = Core([("a", 1), ("b", 1)], Policy(1, 10))
    actions = run_until(core, ev.WorkerReady(0), ev.UnitFailed(0, "a", "input", "gone"))
    assert actions == [ev.Quarantine("a", "input", "gone", 1), ev.Dispatch(0, "b", 1)]


def test_a_worker_that_fails_to_set_up_may_still_tear_down():
    core = Core([("a", 1)], Policy(1, 10))
    core.start()
    assert core.on(ev.SetupFailed(0, "user", "boom")) == [ev.FailRun("user", "boom")]
    assert not core.finished
    core.on(ev.WorkerDied(0, "stopped"))
    assert core.finished


def test_readiness_that_comes_after_the_order_to_stop_changes_nothing():
    core = Core([("a", 1), ("b", 1)], Policy(2, 10))
    core.start()
    assert core.on(ev.StopRequested("signal 2")) == [ev.StopWorker(0), ev.StopWorker(1)]
    assert core.on(ev.WorkerReady(0)) == []


def test_after_deaths_the_last_try_of_a_unit_is_made_alone():
    core = Core([("a", 1), ("b", 1), ("c", 1), ("d", 1)], Policy(2, 10))
    core.start()
    core.on(ev.WorkerReady(0))
    core.on(ev.WorkerReady(1))
    core.on(ev.WorkerDied(0, "killed"))  # a, first
    core.on(ev.WorkerReady(2))
    core.on(ev.WorkerDied(2, "killed"))  # a, second
    assert core.on(ev.WorkerReady(3)) == []  # b is in flight on worker 1
    assert core.on(ev.UnitDone(1, "b")) == [ev.Commit("b"), ev.Dispatch(1, "a", 3)]
    assert core.on(ev.UnitDone(1, "a")) == [ev.Commit("a"), ev.Dispatch(1, "c", 1), ev.Dispatch(3, "d", 1)]


def test_a_unit_larger_than_the_budget_runs_alone():
    core = Core([("a", 1), ("big", 100), ("c", 1)], Policy(2, 10))
    core.start()
    core.on(ev.WorkerReady(0))
    assert core.on(ev.WorkerReady(1)) == []
    assert core.on(ev.UnitDone(0, "a")) == [ev.Commit("a"), ev.Dispatch(0, "big", 1)]
    assert core.on(ev.UnitDone(0, "big")) == [ev.Commit("big"), ev.Dispatch(0, "c", 1)]


def test_workers_that_never_start_end_the_run():
    core = Core([("a", 1)], Policy(1, 10))
    actions = core.start()
    for worker in range(10):
        if any(isinstance(action, ev.FailRun) for action in actions):
            break
        actions = core.on(ev.WorkerDied(worker, "ended with exit code 1"))
    assert [type(action) for action in actions] == [ev.FailRun]
    assert "a worker did not start" in actions[0].why
    assert core.finished
