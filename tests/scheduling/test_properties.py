"""The ten invariants of the scheduler, over random pipelines, clusters and faults.

The examples are the same each time; ``--hypothesis-seed=N`` (or ``random``) draws others.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gpucurate.backends.sim.distributions import Constant, Lognormal
from gpucurate.backends.sim.faults import Faults, NodeLoss
from gpucurate.backends.sim.history import History
from gpucurate.backends.sim.scenario import Scenario
from gpucurate.backends.sim.simulation import Simulation
from gpucurate.scheduling.core import Core
from gpucurate.spec.events import Action, Dispatch, Event, UnitDone, UnitFailed
from tests import depth
from tests.backends.sim.scenarios import Shape, fits, pick, poisons, random_faults, scenarios

PROFILE = settings.get_profile("scheduler")
SAME = Constant(1.0)
NOISE = Lognormal(1.0, 0.2)
SMALL = Shape(units=5, gangs=False)


def examples(count: int) -> Any:
    """So many of them in a thorough search, a third of that each time."""
    usual = max(40, count // 3)
    return settings(
        PROFILE, max_examples=depth.examples(usual, count), suppress_health_check=list(HealthCheck)
    )


def run(scenario: Scenario) -> History:
    """The run, with the accounts compared after each event."""
    return Accounts(scenario).simulation.run()


class Accounts:
    """A run whose edges are counted twice: by the scheduler, and by what it was told."""

    def __init__(self, scenario: Scenario) -> None:
        self.simulation = Simulation(scenario, make_core=self._make, watch=self._compare)

    def _make(self, *arguments: Any) -> Core:
        self.core = Core(*arguments)
        return self.core

    def _compare(self, now: float, event: Event, actions: list[Action]) -> None:
        del now, event, actions
        for stretch in self.core.state.stretches:
            if (edge := stretch.edge) is None:
                continue
            assert type(edge.waiting) is int, "bytes on an edge are integers"
            assert type(edge.reserved) is int, "reserved bytes are integers"
            assert edge.waiting >= 0 and edge.reserved >= 0, "bytes on an edge are not negative"
            assert (edge.reserved == 0) or stretch.in_flight, "nothing in flight, nothing reserved"


def assert_complete(history: History, scenario: Scenario) -> None:
    """Every unit is in exactly one place, and nothing is left over."""
    committed = [done.unit for done in history.committed]
    assert history.failed is None, f"the run was given up: {history.failed}"
    assert history.lost == [], "a unit is neither committed nor set aside"
    assert len(committed) == len(set(committed)), "a unit is committed twice"
    assert not set(committed) & history.quarantined.keys(), "a unit is committed and set aside"
    assert len(committed) + len(history.quarantined) == len(scenario.units)
    assert history.left_behind == [], "what was handed on is not released"


@examples(500)
@given(scenarios(faults=random_faults()))
def test_1_whatever_happens_every_unit_is_committed_once_or_set_aside(scenario: Scenario) -> None:
    assert_complete(run(scenario), scenario)


@examples(250)
@given(scenarios())
def test_2_a_run_without_faults_commits_everything_and_does_nothing_twice(scenario: Scenario) -> None:
    history = run(scenario)
    assert_complete(history, scenario)
    if all(model.batches is None for model in scenario.models):
        assert history.quarantined == {}


@st.composite
def crowded(draw: st.DrawFn) -> Scenario:
    """Segments whose workers do not fit beside each other: one machine with room for a single one."""
    scenario = draw(scenarios(Shape(recycling=False), draw(pick(st.just(Faults()), random_faults()))))
    biggest = max(scenario.lanes, key=lambda lane: (lane.gang, lane.need.whole_gpus, lane.need.cpus_milli))
    node = scenario.nodes[0]
    assume(fits((node,), biggest.need, max(1, biggest.gang)))
    lanes = tuple(
        replace(lane, need=biggest.need, gang=biggest.gang, max_workers=None) for lane in scenario.lanes
    )
    policy = replace(scenario.policy, workers=max(1, biggest.gang))
    losses = tuple(loss for loss in scenario.faults.losses if loss.node == node.id)
    return replace(
        scenario, lanes=lanes, nodes=(node,), policy=policy, faults=replace(scenario.faults, losses=losses)
    )


@examples(200)
@given(crowded())
def test_2_fewer_resources_than_segments_mean_turns_and_an_end(scenario: Scenario) -> None:
    assert_complete(run(scenario), scenario)


@examples(150)
@given(scenarios(SMALL), st.data())
def test_2_a_segment_that_fits_nowhere_waits_for_its_machine(scenario: Scenario, data: st.DataObject) -> None:
    losses = tuple(
        NodeLoss(node.id, data.draw(st.floats(0.0, 6.0)), told_s=1.0, back_s=data.draw(pick(30.0, 5.0)))
        for node in scenario.nodes
    )
    scenario = replace(scenario, faults=Faults(losses=losses))
    assert_complete(run(scenario), scenario)


@examples(150)
@given(scenarios(Shape(gangs=False, batches=False, batch=False)))
def test_3_bytes_behind_a_segment_stay_within_their_bound(scenario: Scenario) -> None:
    simulation = Simulation(scenario)
    history = simulation.run()
    assert history.edge_peaks[: len(history.core_peaks)] == history.core_peaks, "the peak is what was told"
    for index, lane in enumerate(scenario.lanes[:-1]):
        made = [amount.made for amount in simulation.world.amounts[index].values()]
        workers = max((counts[index] for _, counts in history.workers), default=0)
        bound = lane.edge_bytes + workers * scenario.policy.max_slots * max(made, default=0)
        assert history.edge_peaks[index] <= max(bound, max(made, default=0)), f"edge {index}"


@examples(100)
@given(scenarios(Shape(gangs=False, batches=False, batch=False)))
def test_3_what_is_known_beforehand_never_passes_the_budget(scenario: Scenario) -> None:
    """With the sizes known, an edge holds no more than its budget, or one item."""
    models = tuple(replace(model, ratio=SAME) for model in scenario.models)
    scenario = replace(scenario, models=models)
    history = run(scenario)
    largest = max((size for _, size in scenario.units), default=0)
    for index, lane in enumerate(scenario.lanes[:-1]):
        assert history.edge_peaks[index] <= max(lane.edge_bytes, largest)


@examples(40)
@given(scenarios(SMALL, poisons(1)))
def test_4_a_driver_that_dies_at_any_commit_goes_on_to_the_same_result(scenario: Scenario) -> None:
    whole = Simulation(scenario).run()
    for commits in range(len(whole.committed) + 1):
        done = {entry.unit for entry in whole.committed[:commits]}
        rest = replace(scenario, units=tuple(unit for unit in scenario.units if unit[0] not in done))
        resumed = {entry.unit for entry in Simulation(rest).run().committed}
        assert not done & resumed, "what was committed is not done again"
        assert done | resumed == {entry.unit for entry in whole.committed}


@examples(150)
@given(scenarios(Shape(slots=4), random_faults()))
def test_5_only_ready_workers_with_room_are_given_units_and_gpus_are_not_overbooked(
    scenario: Scenario,
) -> None:
    """The simulation refuses every other action: this looks at what is left over of machines at the end."""
    simulation = Simulation(scenario)
    simulation.run()
    assert simulation.laws.roll.workers == {}, "no worker outlives the run"
    assert simulation.laws.in_flight == {}


@examples(150)
@given(scenarios(Shape(batches=False)), pick(1, 2), pick(None, 2.0))
def test_6_replacing_workers_and_changing_their_number_costs_no_attempt(
    scenario: Scenario, units: int, lifetime: float | None
) -> None:
    policy = replace(
        scenario.policy,
        worker_max_units=units,
        worker_max_lifetime_s=lifetime,
        autoscale_interval_s=1.0,
        drain_s=10_000.0,
        stall_s=10_000.0,
    )
    history = run(replace(scenario, policy=policy))
    assert set(history.dispatches.values()) <= {1}, "a unit was given to a second worker"


@examples(200)
@given(scenarios(Shape(gangs=False, batches=False, slots=4), poisons()))
def test_7_poison_is_found_and_nobody_else_suffers(scenario: Scenario) -> None:
    scenario = replace(scenario, policy=replace(scenario.policy, slot_seconds=30.0))
    history = run(scenario)
    assert_complete(history, scenario)
    troubles = {u: t for u, t in scenario.faults.troubles.items() if t.segment < len(scenario.lanes)}
    assert history.quarantined.keys() <= troubles.keys(), "an innocent unit is set aside"
    present = {unit: troubles[unit] for unit, _ in scenario.units if unit in troubles}
    for unit, trouble in present.items():
        assert (unit in history.quarantined) != bool(history.rejected[unit]), "found, in one way"
        if trouble.rows and history.rejected[unit]:
            assert history.rejected[unit] == len(trouble.bad), "only the documents at fault"
    killers = [trouble for trouble in present.values() if trouble.kind == "kills"]
    most = scenario.policy.max_attempts + 1 + scenario.policy.max_bisections
    assert history.deaths["its unit ended it"] <= most * len(killers)


@examples(60)
@given(scenarios(Shape(gangs=False, batches=False, recycling=False, units=40)))
def test_8_the_numbers_of_workers_do_not_swing(scenario: Scenario) -> None:
    models = tuple(replace(model, noise=NOISE) for model in scenario.models)
    history = run(replace(scenario, models=models))
    for index in range(len(scenario.lanes)):
        targets = [d.after for d in history.decisions if d.what == "scale" and d.segment == index]
        steps = [after > before for before, after in pairwise(targets) if after != before]
        turns = sum(one != other for one, other in pairwise(steps))
        assert turns <= 3, f"segment {index}: {targets}"


@examples(150)
@given(scenarios(Shape(gangs=False, recycling=False, units=30)))
def test_9_the_cap_stays_below_what_did_not_fit(scenario: Scenario) -> None:
    simulation = Simulation(scenario, watch=(caps := Caps()).watch)
    simulation.run()
    assert caps.breaches == []


class Caps:
    """Compares the cap of each order with the sizes that lately failed in its segment."""

    def __init__(self) -> None:
        self.failing: dict[int, list[int]] = {}
        self.segment_of: dict[tuple[int, str], int] = {}
        self.breaches: list[str] = []

    def watch(self, now: float, event: Event, actions: list[Action]) -> None:
        if isinstance(event, UnitDone | UnitFailed):
            segment = self.segment_of[event.worker, event.unit]
            sizes = [sample.nbytes for sample in event.figures.samples if not sample.fitted]
            self.failing.setdefault(segment, []).extend(sizes)
        for action in actions:
            if not isinstance(action, Dispatch):
                continue
            self.segment_of[action.worker, action.unit] = action.segment
            failed = self.failing.get(action.segment)
            cap = action.order.batch_cap
            if failed and (cap is None or cap >= min(failed)):
                self.breaches.append(f"at {now} a cap of {cap} after {min(failed)} did not fit")


@examples(100)
@given(scenarios(faults=random_faults()))
def test_10_the_same_events_lead_to_the_same_actions(scenario: Scenario) -> None:
    told: list[tuple[float, Event]] = []
    answers: list[list[Action]] = []

    def note(now: float, event: Event, actions: list[Action]) -> None:
        told.append((now, event))
        answers.append(actions)

    simulation = Simulation(scenario, watch=note)
    simulation.run()
    core = Core(scenario.lanes, scenario.units, scenario.policy, scenario.nodes)
    core.start(0.0)
    assert [core.on(event, now) for now, event in told] == answers


@pytest.mark.parametrize("units", [0, 1])
@examples(50)
@given(scenarios(Shape(units=1), random_faults()))
def test_a_run_of_nothing_and_of_one_unit_ends(units: int, scenario: Scenario) -> None:
    scenario = replace(scenario, units=(("only", 10),)[:units])
    history = run(scenario)
    assert_complete(history, scenario)
