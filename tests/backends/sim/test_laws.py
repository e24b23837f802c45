"""The simulation refuses what no backend could carry out, and sees a scheduler that waits for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gpucurate.backends.sim.distributions import Constant
from gpucurate.backends.sim.errors import DeadlockError, IllegalActionError
from gpucurate.backends.sim.faults import Faults
from gpucurate.backends.sim.laws import Laws
from gpucurate.backends.sim.model import LaneModel
from gpucurate.backends.sim.scenario import Scenario, uniform_nodes
from gpucurate.backends.sim.simulation import Simulation
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Need, Place
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.events import (
    Action,
    Commit,
    Dispatch,
    FailRun,
    KillWorker,
    Order,
    Quarantine,
    Release,
    SpawnWorker,
    StopWorker,
    UnitDone,
    WorkerDied,
    WorkerReady,
)

HERE = Place("node-0")
GPU = Place("node-0", (("0", 600),))


def laws() -> Laws:
    """Two segments; worker 0 of the first is ready and has unit a, worker 1 of the second starts."""
    made = Laws(
        (Lane("make", Need(1000), edge_bytes=10, max_workers=2), Lane("use", Need(100, gpus_milli=600))),
        (("a", 1), ("b", 1)),
        Policy(4, 100),
        uniform_nodes(1, cpus=3, memory=100, gpus=1, gpu_memory=10),
    )
    made.check([SpawnWorker(0, 0, HERE), SpawnWorker(1, 1, GPU)])
    made.told(WorkerReady(0))
    made.check([Dispatch(0, "a")])
    return made


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (SpawnWorker(0, 0, HERE), "has been used"),
        (SpawnWorker(2, 7, HERE), "there are 2 segments"),
        (SpawnWorker(2, 0, Place("moon")), "no node is called moon"),
        (SpawnWorker(2, 1, GPU), "1200 thousandths of GPU 0"),
        (SpawnWorker(2, 1, HERE), "0 GPUs, it needs 1"),
        (SpawnWorker(2, 1, Place("node-0", (("0", 1),))), "1 thousandths of GPU 0"),
        (SpawnWorker(2, 0, HERE, rank=0), "is no gang"),
        (Dispatch(1, "b", 1), "it is starting"),
        (Dispatch(5, "b"), "there never was one"),
        (Dispatch(0, "a"), "of 1 units"),
        (Dispatch(0, "b", 1), "it runs segment 0"),
        (StopWorker(0), "it has a"),
        (Commit("a"), "the last segment has not done it"),
        (Quarantine("a", "user", "", 1), "worker 0 has the unit"),
        (Quarantine("z", "user", "", 1), "no such unit"),
        (Release("a", 0), "is not there"),
    ],
)
def test_an_action_that_cannot_be_carried_out_is_refused(action: Action, says: str) -> None:
    with pytest.raises(IllegalActionError, match=says):
        laws().check([action])


def test_a_unit_goes_its_way_once() -> None:
    made = laws()
    made.told(UnitDone(0, "a"))
    made.told(WorkerReady(1))
    made.check([Dispatch(1, "a", 1), Dispatch(0, "b", 0)])
    made.told(UnitDone(1, "a"))
    with pytest.raises(IllegalActionError, match="is not released"):
        made.check([])
    made.check([Release("a", 0), Commit("a")])
    with pytest.raises(IllegalActionError, match="committed before"):
        made.check([Commit("a")])
    with pytest.raises(IllegalActionError, match="done with"):
        made.check([Quarantine("a", "user", "", 1)])


def test_what_is_still_needed_is_not_released() -> None:
    made = laws()
    made.told(UnitDone(0, "a"))
    with pytest.raises(IllegalActionError, match="still needed"):
        made.check([Release("a", 0)])


def test_a_dead_worker_is_given_nothing_and_a_killed_one_is_not_heard() -> None:
    made = laws()
    made.check([KillWorker(0, "late")])
    made.told(UnitDone(0, "a"))
    assert made.edges == [0, 0]
    made.told(WorkerDied(0, "killed"))
    with pytest.raises(IllegalActionError, match="it is dead"):
        made.check([Dispatch(0, "a")])


def test_a_unit_that_is_to_be_alone_has_its_machine_to_itself() -> None:
    made = laws()
    made.check([SpawnWorker(2, 0, HERE)])
    made.told(WorkerReady(2))
    with pytest.raises(IllegalActionError, match="alone"):
        made.check([Dispatch(2, "b", 0, Order(alone=True))])


def test_a_run_fails_once_and_starts_nothing_after() -> None:
    made = laws()
    made.check([FailRun("user", "enough")])
    for action in (FailRun("user", "again"), SpawnWorker(2, 0, HERE), Dispatch(0, "b")):
        with pytest.raises(IllegalActionError):
            made.check([action])


def small(**changes: object) -> Scenario:
    """Three units, one worker."""
    model = LaneModel(seconds=Constant(1.0))
    units = tuple((name, 10) for name in "abc")
    nodes = uniform_nodes(1, cpus=1, memory=100)
    return Scenario((Lane("only", Need(1000)),), (model,), units, nodes, Policy(1, 100), **changes)  # type: ignore[arg-type]


class Lazy(Core):
    """Waits, and asks for ticks."""

    def on(self, *arguments: object) -> list[Action]:
        super().on(*arguments)  # type: ignore[arg-type]
        return []


class Deaf(Lazy):
    """Waits, and asks for nothing."""

    def next_wake(self) -> float | None:
        return None


@pytest.mark.parametrize("core", [Lazy, Deaf])
def test_a_scheduler_that_waits_for_ever_is_seen(core: Callable[..., Core]) -> None:
    with pytest.raises(DeadlockError, match="3 units are left"):
        Simulation(small(), make_core=core).run()


def test_the_same_seed_gives_the_same_history_and_another_one_another() -> None:
    def of(seed: int) -> list[object]:
        faults = Faults(crashes_per_hour=600.0, setups_slow=0.5)
        return list(Simulation(small(faults=faults, seed=seed)).run().committed)

    assert of(1) == of(1) != of(2)


def test_a_signal_ends_the_run_with_what_is_in_flight_finished() -> None:
    history = Simulation(small(stop_at=2.5)).run()
    assert history.stopped
    assert [done.unit for done in history.committed] == ["a", "b"]
    assert history.lost == ["c"]


def test_lanes_without_models_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="1 lanes and 0 models"):
        Scenario((Lane("a"),), (), (), (), Policy(1, 1))
