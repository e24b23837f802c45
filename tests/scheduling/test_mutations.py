"""Each rule of the scheduler is broken once: some property has to fail, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gpucurate.backends.sim.distributions import Constant
from gpucurate.backends.sim.errors import DeadlockError, SimulationError
from gpucurate.backends.sim.faults import Faults
from gpucurate.backends.sim.model import LaneModel
from gpucurate.backends.sim.scenario import Scenario, uniform_nodes
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.dispatching import Dispatcher
from gpucurate.scheduling.edge import Edge
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Need
from tests.scheduling.test_properties import assert_complete, run

MB = 10**6


def pipeline(
    *, edge: int = 100 * MB, faults: Faults | None = None, budget: int = 10**15, **policy: object
) -> Scenario:
    """Two segments, a worker each, and ten units of a megabyte and a second."""
    model = LaneModel(seconds=Constant(1.0), setup=Constant(1.0))
    return Scenario(
        (Lane("make", Need(1000), edge_bytes=edge, max_workers=1), Lane("use", Need(1000), max_workers=1)),
        (model, model),
        tuple((f"u{index}", MB) for index in range(10)),
        uniform_nodes(1, cpus=2, memory=10**9),
        Policy(None, budget, **policy),  # type: ignore[arg-type]
        faults or Faults(),
    )


def drains_first() -> None:
    """With room for one unit at a time, one that was begun is finished before another begins."""
    history = run(pipeline(budget=1))
    assert history.edge_peaks[0] == MB, "units pile up between the segments"


def one_item_is_let_through() -> None:
    """An item that is larger than the edge passes all the same."""
    scenario = pipeline(edge=10)
    assert_complete(run(scenario), scenario)


def stale_reports_are_ignored() -> None:
    """A worker hangs, is killed without effect, wakes, and reports a unit that another has by now."""
    faults = Faults(hangs_per_hour=600.0, hang_s=40.0, zombies=1.0)
    scenario = pipeline(faults=faults, stall_s=4.0, max_attempts=20, systemic_failures=10**9)
    assert_complete(run(scenario), scenario)


def bytes_are_integers() -> None:
    """What waits and what is reserved is counted in integers."""
    scenario = pipeline(edge=3 * MB)
    assert_complete(run(scenario), scenario)


@pytest.mark.parametrize(
    "holds", [drains_first, one_item_is_let_through, stale_reports_are_ignored, bytes_are_integers]
)
def test_the_scheduler_as_it_is_passes(holds: Callable[[], None]) -> None:
    holds()


def test_serving_upstream_first_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dispatcher, "in_order", lambda self: iter(self._state.stretches))
    with pytest.raises(AssertionError, match="pile up"):
        drains_first()


def test_an_edge_without_the_rule_of_one_item_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def admits(edge: Edge, size: int) -> bool:
        return edge.waiting + edge.reserved + size <= edge.budget

    monkeypatch.setattr(Edge, "admits", admits)
    with pytest.raises(DeadlockError, match="10 units are left"):
        one_item_is_let_through()


def test_listening_to_workers_that_were_given_up_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Core, "is_current", lambda core, worker, unit: unit in core.state.items)
    with pytest.raises((AssertionError, SimulationError, KeyError)):
        stale_reports_are_ignored()


def test_bytes_that_are_not_integers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    promise = Edge.promise
    monkeypatch.setattr(Edge, "promise", lambda edge, unit, size: promise(edge, unit, size * 1.1))
    with pytest.raises(AssertionError, match="integers"):
        bytes_are_integers()
