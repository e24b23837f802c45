"""The scheduler, step by step."""

from __future__ import annotations

import pytest

from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec import events as ev
from gpucurate.spec.cluster import Gpu, Need, Node, Place
from gpucurate.spec.figures import Figures, MemorySample
from gpucurate.spec.suspect import Suspect

HERE = Place("here")


def core_of(
    *sizes: int, workers: int = 1, lanes: int = 1, edge: int = 1000, cores: int = 8, **policy: object
) -> Core:
    """Units a, b, c ... of so many bytes, on one machine."""
    given = [Lane(f"lane {at}", Need(1000), edge_bytes=0 if at == lanes - 1 else edge) for at in range(lanes)]
    units = [(chr(ord("a") + at), size) for at, size in enumerate(sizes)]
    limits = Policy(workers, policy.pop("budget_bytes", 1000), **policy)  # type: ignore[arg-type]
    return Core(given, units, limits, [Node("here", cores * 1000, 10**9)])


def begin(core: Core, *ready: int) -> list[ev.Action]:
    actions = core.start()
    for worker in ready:
        actions = core.on(ev.WorkerReady(worker))
    return actions


def given(actions: list[ev.Action]) -> list[tuple[int, str, int]]:
    """(worker, unit, segment) of what was given out."""
    return [(a.worker, a.unit, a.segment) for a in actions if isinstance(a, ev.Dispatch)]


def done(worker: int, unit: str, made: int = 0) -> ev.UnitDone:
    return ev.UnitDone(worker, unit, Figures(1.0, made))


@pytest.mark.parametrize("kind", ["storage", "configuration"])
def test_a_failure_that_no_unit_would_be_spared_ends_the_run_at_once(kind):
    core = core_of(1, 1)
    begin(core, 0)
    actions = core.on(ev.UnitFailed(0, "a", kind, "disk full"))
    assert actions == [ev.FailRun(kind, "disk full"), ev.StopWorker(0)]


def test_a_broken_input_is_set_aside_without_a_second_try():
    core = core_of(1, 1)
    begin(core, 0)
    actions = core.on(ev.UnitFailed(0, "a", "input", "gone"))
    assert actions == [ev.Quarantine("a", "input", "gone", 1), ev.Dispatch(0, "b")]


def test_a_worker_that_fails_to_set_up_may_still_tear_down():
    core = core_of(1)
    begin(core)
    assert core.on(ev.SetupFailed(0, "configuration", "boom")) == [ev.FailRun("configuration", "boom")]
    assert not core.finished
    core.on(ev.WorkerDied(0, "stopped", "stopped"))
    assert core.finished


def test_a_setup_that_fails_once_is_tried_again_and_one_that_always_fails_ends_the_run():
    core = core_of(1)
    begin(core)
    for worker in range(4):
        assert core.on(ev.SetupFailed(worker, "user", "boom")) == []
        assert core.on(ev.WorkerDied(worker, "ended")) == [ev.SpawnWorker(worker + 1, 0, HERE)]
    assert core.on(ev.SetupFailed(4, "user", "boom")) == [ev.FailRun("user", "boom")]


def test_setups_that_fail_while_others_get_units_done_end_no_run():
    core = core_of(*[1] * 20, workers=2)
    begin(core)
    core.on(ev.WorkerReady(0))
    for worker in range(1, 13):
        assert core.on(ev.SetupFailed(worker, "user", "boom")) == []
        core.on(ev.WorkerDied(worker, "ended"))
        core.on(ev.UnitDone(0, next(iter(core.state.workers[0].flights))))


def test_readiness_that_comes_after_the_order_to_stop_changes_nothing():
    core = core_of(1, 1, workers=2)
    begin(core)
    assert core.on(ev.StopRequested("signal 2")) == [ev.StopWorker(0), ev.StopWorker(1)]
    assert core.on(ev.WorkerReady(0)) == []


def test_after_deaths_the_last_try_of_a_unit_is_made_alone():
    core = core_of(1, 1, 1, 1, workers=2)
    begin(core, 0, 1)
    core.on(ev.WorkerDied(0, "killed"))  # a, first
    core.on(ev.WorkerReady(2))
    core.on(ev.WorkerDied(2, "killed"))  # a, second
    assert given(core.on(ev.WorkerReady(3))) == []  # b is in flight on worker 1
    actions = core.on(done(1, "b"))
    assert [a.unit for a in actions if isinstance(a, ev.Dispatch)] == ["a"]
    (dispatch,) = [a for a in actions if isinstance(a, ev.Dispatch)]
    assert dispatch.order == ev.Order(attempt=3, alone=True)
    assert {u for _, u, _ in given(core.on(done(dispatch.worker, "a")))} == {"c", "d"}


def test_a_machine_that_is_held_for_a_unit_is_given_up_to_one_that_is_put_back_before_it():
    core = core_of(1, 1, workers=2)
    begin(core, 0, 1)
    core.on(ev.WorkerDied(0, "killed"))  # a, first
    core.on(ev.WorkerReady(2))
    core.on(ev.WorkerDied(2, "killed"))  # a, second: the machine is held for it once b is done
    core.on(ev.WorkerReady(3))
    ((worker, unit, _),) = given(core.on(ev.UnitFailed(1, "b", "memory", "no memory")))
    assert unit == "b"
    assert [unit for _, unit, _ in given(core.on(done(worker, "b")))] == ["a"]


def test_what_a_stage_raises_is_tried_again_after_all_others():
    core = core_of(1, 1, 1)
    begin(core, 0)
    assert given(core.on(ev.UnitFailed(0, "a", "user", "boom"))) == [(0, "b", 0)]
    assert given(core.on(done(0, "b"))) == [(0, "c", 0)]
    assert given(core.on(done(0, "c"))) == [(0, "a", 0)]


def test_a_unit_that_fails_to_the_last_is_looked_through_for_the_document():
    core = core_of(1, max_attempts=2)
    begin(core, 0)
    core.on(ev.UnitFailed(0, "a", "user", "boom"))
    (dispatch,) = core.on(ev.UnitFailed(0, "a", "user", "boom"))
    assert dispatch == ev.Dispatch(0, "a", 0, ev.Order(attempt=3, bisect=True))
    assert ev.Quarantine("a", "user", "boom", 3) in core.on(ev.UnitFailed(0, "a", "user", "boom"))


def test_a_stage_that_needs_its_batches_whole_is_not_looked_through():
    core = Core(
        [Lane("whole", splittable=False)], [("a", 1)], Policy(1, 10, max_attempts=1), [Node("here", 1000, 10)]
    )
    begin(core, 0)
    assert ev.Quarantine("a", "user", "boom", 1) in core.on(ev.UnitFailed(0, "a", "user", "boom"))


def test_deaths_narrow_the_rows_down_until_they_say_nothing_new():
    core = core_of(1, max_attempts=1)
    begin(core, 0)
    core.on(ev.WorkerDied(0, "killed"))
    wide, narrow = Suspect(0, 0, 0, 160), Suspect(0, 0, 20, 30)
    for worker, found in ((1, wide), (2, narrow)):
        assert core.on(ev.WorkerReady(worker))[0].order.bisect
        core.on(ev.WorkerDied(worker, "killed", suspect=found))
    (dispatch,) = core.on(ev.WorkerReady(3))
    assert dispatch.order.suspects == (narrow,), "what is wider is forgotten"
    assert ev.Quarantine("a", "died", "killed", 4) in core.on(ev.WorkerDied(3, "killed", suspect=narrow))


def test_a_unit_larger_than_the_budget_runs_alone():
    core = core_of(1, 100, 1, workers=2, budget_bytes=10)
    begin(core, 0)
    assert given(core.on(ev.WorkerReady(1))) == []
    assert given(core.on(done(0, "a"))) == [(1, "b", 0)]
    assert given(core.on(done(1, "b"))) != []


def test_workers_that_never_start_end_the_run():
    core = core_of(1)
    actions = core.start()
    for worker in range(10):
        if any(isinstance(action, ev.FailRun) for action in actions):
            break
        actions = core.on(ev.WorkerDied(worker, "ended with exit code 1"))
    assert [type(action) for action in actions] == [ev.FailRun]
    assert "a worker did not start" in actions[0].why
    assert core.finished


def test_a_unit_passes_all_segments_and_what_lay_between_is_released():
    core = core_of(1, lanes=2, workers=2)
    begin(core, 0, 1)
    assert given(core.on(done(0, "a", 50))) == [(1, "a", 1)]
    actions = core.on(done(1, "a"))
    assert actions[:2] == [ev.Release("a", 0), ev.Commit("a")]
    assert core.peaks == [50]


def test_the_deepest_segment_is_served_first_and_a_full_edge_holds_the_one_before_it():
    core = core_of(1, 1, 1, 1, lanes=2, workers=2, edge=60)
    begin(core, 0, 1)
    assert given(core.on(done(0, "a", 50))) == [(1, "a", 1)], "50 wait of 60: another 50 would not fit"
    assert given(core.on(done(1, "a"))) == [(0, "b", 0)]


def test_an_empty_edge_takes_one_item_however_large():
    core = core_of(1, 1, lanes=2, workers=2, edge=1)
    begin(core, 0, 1)
    assert given(core.on(done(0, "a", 10**6))) == [(1, "a", 1)]
    assert given(core.on(done(1, "a"))) == [(0, "b", 0)]


def test_a_report_of_a_worker_that_was_given_up_changes_nothing():
    core = core_of(1, stall_s=10.0)
    begin(core, 0)
    actions = core.on(ev.Tick(), 11.0)
    assert [type(action) for action in actions] == [ev.KillWorker]
    assert core.on(done(0, "a"), 12.0) == []
    assert core.on(ev.WorkerDied(0, "killed"), 12.0) == [ev.SpawnWorker(1, 0, HERE)]


def test_what_follows_for_a_unit_that_hung_is_decided_once_its_worker_is_dead():
    core = core_of(1, stall_s=10.0)
    now = 0.0
    begin(core, 0)
    for worker in range(3):
        now += 11.0
        (killed,) = core.on(ev.Tick(), now)
        assert (killed.worker, killed.is_stuck) == (worker, True)
        assert not core.state.stretches[0].queue
        suspect = Suspect(0, 0, 5, 6) if worker == 2 else None
        (spawned,) = core.on(ev.WorkerDied(worker, "hung in f; its stacks are in x", "crash", suspect), now)
        (dispatched,) = core.on(ev.WorkerReady(spawned.worker), now)
    assert "its stacks are in x" in core.take_decisions()[-1].why
    assert dispatched.order.suspects == (suspect,), "the third try kept a journal"
    assert dispatched.order.attempt == 4


def test_lost_input_is_made_again_from_the_start():
    core = core_of(1, lanes=3, workers=3)
    begin(core, 0, 1, 2)
    core.on(done(0, "a", 5))
    core.on(done(1, "a", 5))
    actions = core.on(ev.InputLost(2, "a", "gone"))
    assert ev.Release("a", 1) in actions
    assert core.state.items["a"].segment == 0
    assert core.state.items["a"].attempts == 0
    (spawned,) = core.on(ev.WorkerDied(0, "stopped", "stopped"))  # it was not needed any more
    assert given(core.on(ev.WorkerReady(spawned.worker))) == [(spawned.worker, "a", 0)]


def test_what_memory_taught_one_worker_goes_out_to_the_others_with_their_next_unit():
    core = core_of(*[1] * 8, workers=2)
    begin(core, 0, 1)
    learnt = Figures(1.0, samples=(MemorySample(1 << 20, None, False),))
    (dispatch,) = [a for a in core.on(ev.UnitDone(0, "a", learnt)) if isinstance(a, ev.Dispatch)]
    cap = dispatch.order.batch_cap
    assert cap is not None and cap < 1 << 20
    (dispatch,) = [a for a in core.on(done(1, "b")) if isinstance(a, ev.Dispatch)]
    assert dispatch.order.batch_cap == cap
    (decision,) = [d for d in core.take_decisions() if d.what == "cap"]
    assert (decision.before, decision.after) == (None, cap)


def test_the_most_that_was_in_flight_is_told_of_machines_that_have_gone_too():
    core = core_of(7, 3)
    begin(core, 0)
    core.on(ev.NodeDown("here", "no heartbeat"))
    assert core.peak_in_flight == 7


def test_a_machine_that_goes_takes_along_what_lay_there():
    nodes = [Node("here", 1000, 10), Node("there", 1000, 10)]
    lanes = [Lane("first", Need(1000), edge_bytes=100), Lane("second", Need(1000))]
    core = Core(lanes, [("a", 1), ("b", 1)], Policy(2, 10), nodes)
    places = {a.worker: a.place.node for a in core.start() if isinstance(a, ev.SpawnWorker)}
    assert set(places.values()) == {"here", "there"}
    core.on(ev.WorkerReady(0))
    core.on(done(0, "a", 5))
    actions = core.on(ev.NodeDown(places[0], "no heartbeat"))
    assert ev.Release("a", 0) in actions
    assert core.state.stretches[0].remaining == 2
    assert core.state.items["a"].attempts == 0


def test_segments_that_do_not_fit_together_take_turns():
    lanes = [
        Lane("first", Need(1000, gpus_milli=1000), edge_bytes=10**6),
        Lane("second", Need(1000, gpus_milli=1000)),
    ]
    core = Core(lanes, [("a", 1), ("b", 1)], Policy(None, 10), [Node("here", 8000, 10, (Gpu("0", 10),))])
    (spawned,) = core.start()
    assert spawned.segment == 0
    core.on(ev.WorkerReady(0))
    assert given(core.on(done(0, "a", 5))) == [(0, "b", 0)], "not yet: it has work"
    assert core.on(done(0, "b", 5)) == [ev.StopWorker(0)]
    (spawned,) = core.on(ev.WorkerDied(0, "stopped", "stopped"))
    assert spawned.segment == 1
    assert any(d.what == "time-share" for d in core.take_decisions())


def test_what_fits_nowhere_is_told_before_the_start():
    core = Core([Lane("big", Need(64_000))], [("a", 1)], Policy(None, 10), [Node("here", 8000, 10)])
    (failed,) = core.start()
    assert "no machine can hold a worker of big" in failed.why
    assert core.finished


def test_all_of_a_gang_start_together_and_go_together():
    core = Core(
        [Lane("gang", Need(1000), gang=2)], [("a", 1), ("b", 1)], Policy(None, 10), [Node("here", 8000, 10)]
    )
    spawned = core.start()
    assert [(s.rank, s.gang, s.gang_size) for s in spawned] == [(0, 1, 2), (1, 1, 2)]
    assert core.on(ev.WorkerReady(0)) == [], "the other one is not ready"
    assert len(given(core.on(ev.WorkerReady(1)))) == 2
    actions = core.on(ev.WorkerDied(0, "killed"))
    assert [type(action) for action in actions] == [ev.KillWorker]
    again = core.on(ev.WorkerDied(1, "killed"))
    assert [(s.rank, s.gang) for s in again] == [(0, 2), (1, 2)]


def test_a_gang_of_which_one_cannot_be_set_up_begins_anew_though_the_others_were_ready():
    core = Core([Lane("gang", Need(1000), gang=2)], [("a", 1)], Policy(None, 10), [Node("here", 8000, 10)])
    core.start()
    core.on(ev.WorkerReady(0))
    assert [type(action) for action in core.on(ev.SetupFailed(1, "user", "boom"))] == [ev.KillWorker]
    core.on(ev.WorkerDied(1, "ended", "stopped"))
    assert [(s.rank, s.gang) for s in core.on(ev.WorkerDied(0, "killed"))] == [(0, 2), (1, 2)]


def test_a_gang_of_which_one_can_never_be_set_up_ends_the_run_though_the_others_are_ready():
    core = Core([Lane("gang", Need(1000), gang=2)], [("a", 1)], Policy(None, 10), [Node("here", 8000, 10)])
    core.start()
    for first in range(0, 8, 2):
        core.on(ev.WorkerReady(first))
        core.on(ev.SetupFailed(first + 1, "user", "boom"))
        core.on(ev.WorkerDied(first + 1, "ended", "stopped"))
        core.on(ev.WorkerDied(first, "killed"))
    core.on(ev.WorkerReady(8))
    assert ev.FailRun("user", "boom") in core.on(ev.SetupFailed(9, "user", "boom"))


def test_a_gang_that_fits_no_more_ends_the_run_once_that_has_lasted():
    nodes = [Node("here", 1000, 10), Node("there", 1000, 10)]
    core = Core([Lane("gang", Need(1000), gang=2)], [("a", 1)], Policy(None, 10, stall_s=5.0), nodes)
    core.start()
    core.on(ev.NodeDown("there", "no heartbeat"))
    core.on(ev.WorkerDied(0, "killed"))
    core.on(ev.Tick(), 2.0)
    (failed,) = core.on(ev.Tick(), 8.0)
    assert "cannot hold 2 workers of gang, for 6 s now" in failed.why


def test_a_worker_whose_successor_did_not_start_is_given_another():
    core = core_of(*[1] * 9, workers=1, worker_max_units=2)
    begin(core, 0)
    core.on(done(0, "a"))
    assert ev.SpawnWorker(1, 0, HERE) in core.on(done(0, "b"))
    core.on(ev.SetupFailed(1, "user", "boom"))
    core.on(ev.WorkerDied(1, "ended", "stopped"))
    assert ev.SpawnWorker(2, 0, HERE) in core.on(done(0, "c"))


def test_a_worker_of_a_segment_that_is_through_gets_no_successor():
    core = core_of(1, lanes=2, workers=2, worker_max_units=1)
    begin(core, 0, 1)
    core.on(done(0, "a", 5))
    (decision,) = [d for d in core.take_decisions() if d.what == "recycle"]
    assert decision.why_not == "no successor: nothing is left for one"


def test_a_successor_is_not_counted_among_the_workers_until_it_takes_the_others_place():
    core = core_of(*[1] * 9, workers=1, worker_max_units=2)
    begin(core, 0)
    core.on(done(0, "a"))
    assert ev.SpawnWorker(1, 0, HERE) in core.on(done(0, "b"))
    view = core._staffing._view(core.state.stretches[0])
    assert (view.workers, view.ready, view.starting) == (1, 1, 0)


def test_a_worker_that_is_too_many_goes_though_a_successor_has_less_to_do():
    core = core_of(*[1] * 4, workers=2, worker_max_units=1)
    begin(core, 0, 1)
    assert ev.SpawnWorker(2, 0, HERE) in core.on(done(0, "a"))
    core.state.stretches[0].target = 1
    core._staffing.call()
    core.on(ev.Tick(), 1.0)
    assert [core.state.workers[number].is_live for number in (0, 1, 2)] == [True, False, True]


def test_a_worker_that_has_served_its_time_is_replaced_before_it_goes():
    core = core_of(*[1] * 6, workers=1, worker_max_units=2)
    begin(core, 0)
    core.on(done(0, "a"))
    actions = core.on(done(0, "b"))
    assert ev.SpawnWorker(1, 0, HERE) in actions
    assert given(actions) == [(0, "c", 0)], "it works on until the other is ready"
    core.on(ev.WorkerReady(1))
    assert core.on(done(0, "c")) == [ev.StopWorker(0)] or not core.state.workers[0].is_live
    assert all(item.attempts <= 1 for item in core.state.items.values())
