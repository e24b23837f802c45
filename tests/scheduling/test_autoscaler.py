"""How many workers each segment gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from timeit import timeit
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.scheduling.allocation import Allocation
from gpucurate.scheduling.autoscaler import GAIN, Autoscaler
from gpucurate.scheduling.lane_view import LaneView, Targets
from gpucurate.scheduling.policy import Policy
from gpucurate.spec.cluster import Gpu, Ledger, Need, Node

GB = 10**9
MANY = 10**6


def scaler() -> Autoscaler:
    return Autoscaler(Policy(workers=None, budget_bytes=1))


def node(cpus: int, gpus: int = 0, name: str = "a", memory: int = 1000 * GB) -> Node:
    return Node(name, cpus * 1000, memory, tuple(Gpu(str(index), 80 * GB) for index in range(gpus)))


def lane(name: str, cpus: int = 1, gpus: float = 0, **rest: Any) -> LaneView:
    need = Need(cpus * 1000, 0, int(gpus * 1000))
    return LaneView(name, need, is_gpu=gpus > 0, **{"remaining": MANY, **rest})


def measured(view: LaneView, seconds: float, **rest: Any) -> LaneView:
    return replace(view, seconds_per_unit=seconds, trusted=True, **rest)


class Run:
    """Plays the core: gives each segment what it is told, one cycle after the other."""

    def __init__(self, lanes: Sequence[LaneView], nodes: Sequence[Node], total: int | None = None) -> None:
        self.scaler, self.nodes, self.total = scaler(), nodes, total
        self.lanes, self.now, self.grown = list(lanes), 0.0, [0.0] * len(lanes)

    def step(self, seconds: Sequence[float] | None = None) -> Targets:
        """One cycle, with what is measured now."""
        if seconds is not None:
            self.lanes = [measured(*each) for each in zip(self.lanes, seconds, strict=True)]
        targets = self.scaler.targets(self.now, self.lanes, self.nodes, self.total)
        for index, count in enumerate(targets.counts):
            if count > self.lanes[index].workers:
                self.grown[index] = self.now
        self.now += 10
        self.lanes = [
            replace(view, workers=count, ready=count, ready_for_s=self.now - grown)
            for view, count, grown in zip(self.lanes, targets.counts, self.grown, strict=True)
        ]
        return targets

    def settle(self, seconds: Sequence[float], cycles: int = 80) -> tuple[int, ...]:
        """Counts after many cycles."""
        self.step()
        for _ in range(cycles):
            targets = self.step(seconds)
        return targets.counts


# At first


def test_a_single_segment_gets_all_that_fits() -> None:
    assert scaler().targets(0, [lane("only")], [node(8)]).counts == (8,)


def test_segments_share_evenly_before_anything_is_measured() -> None:
    targets = scaler().targets(0, [lane("read"), lane("filter"), lane("write")], [node(12)])
    assert targets.counts == (4, 4, 4)
    assert targets.bottleneck is None
    assert "read: 0 to 4 workers" in targets.why[0]
    assert "as far as is known" in targets.why[0]


def test_a_segment_that_asks_for_more_cores_gets_more_of_them() -> None:
    counts = scaler().targets(0, [lane("small"), lane("large", cpus=3)], [node(16)]).counts
    assert counts == (4, 4)


def test_gpu_segments_start_at_full_size() -> None:
    lanes = [lane("read"), lane("classify", gpus=1), lane("write")]
    assert scaler().targets(0, lanes, [node(32, 8)]).counts == (12, 8, 12)


def test_one_worker_of_every_other_segment_comes_before_a_full_gpu() -> None:
    lanes = [lane("read", cpus=2), lane("classify", gpus=1), lane("write")]
    assert scaler().targets(0, lanes, [node(8, 8)]).counts == (1, 5, 1)


def test_two_gpu_segments_share_the_gpus() -> None:
    lanes = [lane("embed", gpus=1), lane("classify", gpus=1)]
    assert scaler().targets(0, lanes, [node(32, 8)]).counts == (4, 4)


def test_segments_of_the_cpu_leave_the_gpu_nodes_cores_to_its_workers() -> None:
    lanes = [lane("read"), lane("classify", cpus=4, gpus=1)]
    nodes = [node(16, 4, "gpu"), node(64, 0, "cpu")]
    assert scaler().targets(0, lanes, nodes).counts == (64, 4)


def test_shares_of_a_gpu_pack_beside_whole_ones() -> None:
    lanes = [lane("small", gpus=0.5, max_workers=2), lane("large", gpus=3)]
    assert scaler().targets(0, lanes, [node(32, 4)]).counts == (2, 1)


def test_a_gang_is_all_or_nothing() -> None:
    lanes = [lane("read"), lane("train", gpus=1, gang=4)]
    assert scaler().targets(0, lanes, [node(16, 4)]).counts == (12, 4)
    assert scaler().targets(0, lanes, [node(16, 3)]).counts == (16, 0)
    assert scaler().targets(0, [lane("train", gpus=1, gang=4, remaining=1)], [node(16, 8)]).counts == (4,)


def test_limits_of_units_stages_and_the_run_hold() -> None:
    lanes = [lane("read", remaining=2), lane("filter", max_workers=3), lane("write")]
    assert scaler().targets(0, lanes, [node(64)], 9).counts == (1, 3, 5)
    assert scaler().targets(0, lanes[:1], [node(64)], 9).counts == (2,)


def test_a_segment_with_nothing_left_gives_all_away_at_once() -> None:
    run = Run([lane("read"), lane("classify", gpus=1), lane("write")], [node(32, 4)])
    run.step()
    run.lanes[0] = replace(run.lanes[0], remaining=0)
    run.lanes[1] = replace(run.lanes[1], remaining=0)
    targets = run.step()
    assert targets.counts == (0, 0, 32)
    assert targets.why[0] == "read: 14 to 0 workers: nothing is left to do"


# Turns, where there is too little for one each


def turn(*lanes: LaneView) -> tuple[int, ...]:
    return scaler().targets(0, lanes, [node(8, 1)]).counts


def test_the_first_segment_has_its_turn_until_it_is_blocked() -> None:
    first = lane("embed", gpus=1, queued=100)
    second = lane("classify", gpus=1)
    assert turn(first, second) == (1, 0)
    busy = replace(first, workers=1, ready=1, in_flight=1)
    assert turn(busy, replace(second, queued=3)) == (1, 0)
    assert turn(replace(busy, is_blocked=True), replace(second, queued=3)) == (0, 1)


def test_the_second_has_its_turn_until_it_has_nothing() -> None:
    first = lane("embed", gpus=1, queued=100)
    second = lane("classify", gpus=1, workers=1, ready=1)
    assert turn(first, replace(second, in_flight=1)) == (0, 1)
    targets = scaler().targets(0, [first, second], [node(8, 1)])
    assert targets.counts == (1, 0)
    assert "another one's turn" in targets.why[1]


def test_fewer_workers_than_segments_take_turns_too() -> None:
    lanes = [lane("a", queued=9), lane("b"), lane("c")]
    assert scaler().targets(0, lanes, [node(64)], 1).counts == (1, 0, 0)


# Later


def test_the_slow_segment_gets_the_workers() -> None:
    run = Run([lane("read"), lane("parse"), lane("write")], [node(12)])
    counts = run.settle([1, 8, 1])
    assert counts in {(1, 10, 1), (2, 9, 1), (1, 9, 2)}


def test_what_grows_grows_by_half_and_by_one_while_little_is_measured() -> None:
    views = [
        measured(lane("read", workers=4, ready=4), 40),
        replace(lane("parse", workers=4, ready=4), seconds_per_unit=40.0),
    ]
    targets = scaler().targets(0, views, [node(64)])
    assert targets.counts == (6, 5)
    assert "at once: it grows by half per cycle" in targets.why_not[0]
    assert "too few units are measured" in targets.why_not[1]


def test_calls_between_cycles_do_not_speed_growth_up() -> None:
    views = [measured(lane("read", workers=4, ready=4), 4)]
    ours = scaler()
    assert ours.targets(0, views, [node(64)]).counts == (6,)
    assert ours.targets(1, views, [node(64)]).counts == (6,)
    assert ours.targets(10, views, [node(64)]).counts == (9,)


def test_nothing_grows_for_less_work_than_two_setups() -> None:
    view = measured(lane("read", workers=1, ready=1, remaining=10), 1, setup_s=6)
    targets = scaler().targets(0, [view], [node(64)])
    assert targets.counts == (1,)
    assert targets.why_not == ("read: not 10: 10.0 s of work are left, a worker needs 6.0 s to set up",)
    assert scaler().targets(0, [replace(view, setup_s=4)], [node(64)]).counts == (2,)


def test_a_worker_that_died_is_replaced_between_cycles() -> None:
    run = Run([lane("read"), lane("write")], [node(8)])
    run.step([1, 1])
    for _ in range(10):
        run.step([1, 1])
    died = [replace(run.lanes[0], workers=3, ready=3), run.lanes[1]]
    assert run.scaler.targets(run.now - 9, died, run.nodes).counts == (4, 4)


def test_a_segment_shrinks_after_three_cycles_and_a_minute() -> None:
    run = Run([lane("read"), lane("parse")], [node(8)])
    run.step()
    history = [run.step([1, 3]) for _ in range(8)]
    assert [targets.counts for targets in history[:5]] == [(4, 4)] * 5
    assert (
        history[0].why_not[0].startswith("read: 2 would do, but its youngest worker is ready for 10 s only")
    )
    assert history[-1].counts == (2, 6)
    assert "parse: 4 to 6 workers" in history[5].why[1]


def test_a_gain_of_less_than_a_tenth_moves_nobody() -> None:
    run = Run([lane("a"), lane("b")], [node(41)])
    assert run.settle([1, 1.02]) == (21, 20)
    for _ in range(20):
        assert run.step([1, 1.1]).counts == (21, 20)


def test_a_gpu_segment_never_shrinks_for_one_of_the_cpu() -> None:
    run = Run([lane("read"), lane("classify", gpus=1, cpus=4)], [node(33, 8)])
    assert run.settle([1000, 0.01]) == (1, 8)


def test_a_gpu_segment_shrinks_for_one_of_the_gpu() -> None:
    run = Run([lane("embed", gpus=1), lane("classify", gpus=1)], [node(32, 8)])
    assert run.settle([1, 3]) == (2, 6)


def test_segments_beside_a_slow_one_that_cannot_grow_leave_the_rest_free() -> None:
    start = [lane("read", workers=1), lane("classify", gpus=1, workers=2), lane("write", workers=1)]
    run = Run([measured(view, 1) for view in start], [node(64, 2)])
    for _ in range(20):
        targets = run.step([1, 4, 1])
    assert targets.counts == (1, 2, 1)
    for _ in range(20):
        targets = run.step([1, 1, 1])
    assert targets.counts == (3, 2, 3)


def test_idle_workers_of_the_cpu_are_given_back_after_a_minute() -> None:
    run = Run([lane("read"), lane("classify", gpus=1), lane("write")], [node(64, 4)])
    run.step()
    history = [run.step([1, 2, 1]) for _ in range(20)]
    assert [targets.counts for targets in history[:5]] == [(30, 4, 30)] * 5
    assert "3 would do, but its youngest worker is ready for 10 s only" in history[0].why_not[0]
    assert history[-1].counts == (3, 4, 3)
    assert "read: 30 to 3 workers" in history[5].why[0]


def test_idle_workers_of_the_gpu_are_held_through_lulls() -> None:
    run = Run([lane("read", max_workers=1), lane("classify", gpus=1)], [node(64, 4)])
    assert run.settle([10, 1]) == (1, 4)


def test_a_stuck_unit_makes_its_segment_slow() -> None:
    views = [
        measured(lane("read", workers=4, ready=4), 1),
        measured(lane("parse", workers=1, ready=1, in_flight=1, oldest_age_s=50), 1),
    ]
    targets = scaler().targets(0, views, [node(6)])
    assert targets.counts == (4, 2)


def test_what_is_left_counts_not_only_the_speed() -> None:
    run = Run([lane("read", remaining=1000), lane("write", remaining=10000)], [node(11)])
    assert run.settle([1, 1]) == (1, 10)


def test_queues_name_the_bottleneck() -> None:
    views = [
        measured(lane("read", workers=2, ready=2, queued=100), 9),
        measured(lane("parse", workers=2, ready=2, queued=4, consumer_starved=True), 1),
        measured(lane("write", workers=2, ready=2, queued=0, consumer_starved=True), 1),
    ]
    assert scaler().targets(0, views, [node(6)]).bottleneck == 1
    views[1] = replace(views[1], queued=1)
    assert scaler().targets(0, views, [node(6)]).bottleneck == 0


def test_a_lost_node_takes_its_share_of_the_targets() -> None:
    run = Run([lane("read"), lane("write")], [node(4, name="a"), node(4, name="b")])
    run.step([1, 1])
    for _ in range(5):
        run.step([1, 1])
    run.nodes = run.nodes[:1]
    run.lanes = [replace(view, workers=2, ready=2) for view in run.lanes]
    assert run.step([1, 1]).counts == (2, 2)
    run.lanes = [replace(run.lanes[0], workers=4), replace(run.lanes[1], workers=0)]
    assert run.step([1, 1]).counts[1] >= 1


# Properties

SECONDS = st.floats(0.1, 20)


@st.composite
def clusters(draw: Callable[..., Any]) -> tuple[list[LaneView], list[Node]]:
    nodes = [
        node(draw(st.integers(1, 16)), draw(st.integers(0, 4)), str(name))
        for name in range(draw(st.integers(1, 4)))
    ]
    lanes = [
        lane(
            str(name),
            cpus=draw(st.integers(0, 4)),
            gpus=draw(st.sampled_from([0, 0, 0.25, 0.5, 1, 2])),
            max_workers=draw(st.none() | st.integers(1, 5)),
            remaining=draw(st.sampled_from([0, 1, 5, MANY])),
            gang=draw(st.sampled_from([0, 0, 0, 2])),
            queued=draw(st.integers(0, 5)),
            is_blocked=draw(st.booleans()),
        )
        for name in range(draw(st.integers(1, 5)))
    ]
    return [replace(v, max_workers=v.max_workers or 50) for v in lanes], nodes


def packs(wanted: list[Need], nodes: Sequence[Node]) -> bool:
    """Whether these workers can be placed, by trying every node for each."""

    def put(at: int, ledgers: list[Ledger]) -> bool:
        if at == len(wanted):
            return True
        for ledger in ledgers:
            place = ledger.place(wanted[at])
            if place is not None:
                ledger.take(place, wanted[at])
                if put(at + 1, ledgers):
                    return True
                ledger.give(place, wanted[at])
        return False

    return put(0, [Ledger.of([each]) for each in nodes])


@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([0, 0, 0.5, 1, 2])), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=3),
)
def test_first_targets_can_be_placed(kinds: list[tuple[int, float]], machines: list[tuple[int, int]]) -> None:
    lanes = [lane(str(index), cpus, gpus) for index, (cpus, gpus) in enumerate(kinds)]
    nodes = [node(cpus, gpus, str(index)) for index, (cpus, gpus) in enumerate(machines)]
    counts = scaler().targets(0, lanes, nodes).counts
    wanted = [view.need for view, count in zip(lanes, counts, strict=True) for _ in range(count)]
    wanted.sort(key=lambda need: (need.gpus_milli, need.cpus_milli), reverse=True)
    assert packs(wanted, nodes)


@given(clusters(), st.lists(SECONDS, min_size=5, max_size=5), st.none() | st.integers(1, 8))
def test_targets_fit_and_keep_to_their_limits(
    given_: tuple[list[LaneView], list[Node]], seconds: list[float], total: int | None
) -> None:
    lanes, nodes = given_
    run = Run(lanes, nodes, total)
    for cycle in range(12):
        targets = run.step(seconds[: len(lanes)] if cycle else None)
        assert total is None or sum(targets.counts) <= total
        assert sum(c * v.need.cpus_milli for c, v in zip(targets.counts, lanes, strict=True)) <= sum(
            each.cpus_milli for each in nodes
        )
        for view, count in zip(lanes, targets.counts, strict=True):
            assert 0 <= count <= view.cap
            assert not view.gang or count in (0, view.gang)
        alone = [scaler().targets(0, [view], nodes, total).counts[0] for view in lanes]
        assert any(targets.counts) or not any(alone)  # if anything can run, something does


@given(st.lists(SECONDS, min_size=2, max_size=5), st.integers(5, 24))
def test_a_faster_segment_never_gets_more_workers(seconds: list[float], cores: int) -> None:
    lanes = [measured(lane(str(index)), each) for index, each in enumerate(seconds)]
    ideal = Allocation(lanes, [node(cores)], None)
    ideal.fill_ideally(seconds)
    by_speed = sorted(zip(seconds, ideal.counts, strict=True))
    assert all(fast[1] <= slow[1] for fast, slow in pairwise(by_speed) if fast[0] < slow[0])
    assert sum(ideal.counts) <= cores


def divisions(lanes: Sequence[LaneView], cores: int) -> Iterator[tuple[int, ...]]:
    """All numbers of workers that fit so many cores, one of each at least."""
    if not lanes:
        yield ()
        return
    cpus = lanes[0].need.cpus_milli // 1000
    rest = sum(view.need.cpus_milli for view in lanes[1:]) // 1000
    for count in range(1, (cores - rest) // cpus + 1):
        for others in divisions(lanes[1:], cores - count * cpus):
            yield count, *others


@given(st.lists(st.tuples(SECONDS, st.integers(1, 3)), min_size=1, max_size=5), st.integers(0, 8))
def test_the_slowest_is_as_fast_as_any_division_makes_it(kinds: list[tuple[float, int]], spare: int) -> None:
    lanes = [lane(str(index), cpus=cpus) for index, (_, cpus) in enumerate(kinds)]
    cores = sum(cpus for _, cpus in kinds) + spare
    seconds = [each for each, _ in kinds]

    def pace(counts: Sequence[int]) -> float:
        return min(count / each for count, each in zip(counts, seconds, strict=True))

    best = max(pace(counts) for counts in divisions(lanes, cores))
    reached = Run(lanes, [node(cores)]).settle(seconds)
    assert sum(c * cpus for c, (_, cpus) in zip(reached, kinds, strict=True)) <= cores
    assert pace(reached) * GAIN > best * 0.999


@settings(max_examples=25)
@given(st.lists(SECONDS, min_size=2, max_size=5), st.integers(8, 40), st.integers(0, 1000))
def test_noise_of_a_fifth_moves_nobody_in_the_long_run(seconds: list[float], cores: int, seed: int) -> None:
    rng = Random(seed)
    run = Run([lane(str(i)) for i in range(len(seconds))], [node(cores)])
    run.settle(seconds, 30)
    history = [run.step([each * rng.uniform(0.8, 1.2) for each in seconds]).counts for _ in range(150)]
    changes = sum(one != other for one, other in pairwise(history[50:]))
    assert changes <= 3  # in 100 cycles; none in nine runs of ten


def test_a_thousand_workers_of_eight_segments_take_milliseconds() -> None:
    nodes = [node(64, 8, str(index)) for index in range(16)]
    lanes = [lane(f"cpu{index}", setup_s=0.1) for index in range(6)]
    lanes += [lane("embed", gpus=0.5), lane("classify", gpus=1)]
    ours = scaler()
    counts = ours.targets(0, lanes, nodes, 1000).counts
    assert sum(counts) > 900
    views = [
        measured(replace(v, workers=c), 1 + i) for i, (v, c) in enumerate(zip(lanes, counts, strict=True))
    ]
    seconds = min(timeit(lambda: ours.targets(0, views, nodes, 1000), number=1) for _ in range(5))
    assert seconds < 0.1  # about 0.003 on a quiet machine


def test_the_same_views_give_the_same_targets() -> None:
    one, other = (Run([lane("a"), lane("b", cpus=2)], [node(9)]) for _ in range(2))
    assert one.settle([1, 2.5]) == other.settle([1, 2.5])


@pytest.mark.parametrize("lanes", [[], [lane("done", remaining=0)]])
def test_nothing_to_do_is_no_error(lanes: list[LaneView]) -> None:
    assert scaler().targets(0, lanes, [node(1)]).counts == (0,) * len(lanes)
    assert scaler().targets(0, lanes, []).bottleneck is None
