"""Where workers go, how many there are, and what lies between them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.planning.costs import Costs, StageCost
from gpucurate.planning.feasibility import check_feasible, time_sharing
from gpucurate.planning.placement import place
from gpucurate.spec.cluster import MILLI, Ledger
from gpucurate.spec.errors import ConfigurationError
from tests.planning.cluster import GB, nodes, plan, stage


def counts(layout):
    return [len(places) for places in layout.places]


def where(layout, segment):
    return [(place.node, place.gpu_ids) for place in layout.places[segment]]


def test_a_segment_on_gpus_has_a_worker_for_each_and_the_cpu_has_the_other_cores():
    layout = place(plan(stage("read"), stage("embed", gpus=1), stage("write")), nodes(2))
    assert counts(layout) == [6, 4, 6]
    assert layout.gpus(1) == 4
    assert layout.machines(0) == 2
    assert layout.phases == ((0, 1, 2),)


def test_shares_pack_several_workers_of_a_stage_on_a_gpu():
    assert counts(place(plan(stage("a", gpus=0.25)), nodes(1))) == [8]
    assert counts(place(plan(stage("a", gb=8)), nodes(1, cores=64))) == [20]
    assert counts(place(plan(stage("a", gb=8)), nodes(1, cores=4))) == [4]


def test_a_worker_of_two_gpus_has_two_of_one_machine():
    layout = place(plan(stage("a", gpus=2)), nodes(2, gpus=3))
    assert where(layout, 0) == [("n000", ("0", "1")), ("n001", ("0", "1"))]


def test_segments_that_could_not_be_fused_share_a_gpu():
    made = plan(stage("a", gpus=0.5), stage("b", gpus=0.5, runtime_env={"env_vars": {"X": "1"}}))
    layout = place(made, nodes(2))
    assert where(layout, 0) == where(layout, 1)
    assert counts(layout) == [4, 4]
    assert [(edge.kind, edge.remote) for edge in layout.edges] == [("same-gpu", 0.0)]


def test_what_cannot_share_a_gpu_shares_a_machine():
    layout = place(plan(stage("a", gpus=1), stage("b", gpus=0.5)), nodes(2))
    assert layout.machines(0) == layout.machines(1) == 2
    assert layout.edges[0].kind == "same-node"


def test_what_has_no_machine_in_common_goes_over_the_network():
    layout = place(plan(stage("a", gpus=1), stage("b", gpus=0.5)), nodes(2, gpus=1))
    assert (layout.edges[0].kind, layout.edges[0].remote) == ("network", 1.0)


def test_stages_of_one_worker_hand_over_a_reference():
    layout = place(plan(stage("a"), stage("b"), stage("c", gpus=1)), nodes(1))
    assert [(edge.stage, edge.kind) for edge in layout.edges] == [(1, "same-process"), (2, "same-node")]


def test_a_limit_of_a_stage_holds():
    assert counts(place(plan(stage("a", max_workers=3)), nodes(2))) == [3]


def test_a_gang_is_placed_whole_and_not_twice():
    layout = place(plan(stage("read"), stage("train", gpus=1, is_gang=True, max_workers=4)), nodes(4))
    assert counts(layout)[1] == 4


def test_a_slow_segment_has_as_many_more_workers_as_it_is_slower():
    costs = Costs({"a": (StageCost(0.3, 1.0, True, 1),), "b": (StageCost(0.1, 1.0, True, 1),)}, GB)
    made = plan(stage("a", gpus=1), stage("b", gpus=1), fuse=False)
    assert counts(place(made, nodes(8, gpus=8, cores=64), costs)) == [48, 16]
    assert counts(place(made, nodes(8, gpus=8, cores=64))) == [32, 32]


def test_what_is_not_known_of_the_cpu_does_not_hide_what_is_known_of_gpus():
    costs = Costs({"a": (StageCost(0.3, 1.0, True, 1),), "b": (StageCost(0.1, 1.0, True, 1),)}, GB)
    made = plan(stage("a", gpus=1), stage("b", gpus=1), stage("c"), stage("d"), fuse=False)
    one, other, *cpu = counts(place(made, nodes(8, gpus=8, cores=64), costs))
    assert (one, other) == (48, 16)
    assert abs(cpu[0] - cpu[1]) < sum(cpu) / 16


def test_a_worker_that_takes_nothing_of_a_machine_is_not_started_without_end():
    assert counts(place(plan(stage("a", cpus=0)), nodes(2))) == [16]


def test_five_hundred_machines_are_filled_in_seconds():
    layout = place(plan(stage("read"), stage("a", gpus=0.5), stage("write")), nodes(512, cores=32, gpus=8))
    read, gpu, write = counts(layout)
    assert (gpu, read + write) == (8192, 8192)
    assert abs(read - write) < 512
    assert all(edge.remote < 0.05 for edge in layout.edges)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            stage("big", gpus=4),
            r"stage 'big' wants 4 GPUs and 1 core for one worker, and the largest of 2 mach",
        ),
        (stage("big", gb=100), r"wants 100 GB of a GPU and 1 core .*n000, has 2 GPUs of 80.0 GB and 8 cores"),
        (stage("big", cpus=9), r"wants 9 cores.*lower its resources, or run it where there is so much"),
        (stage("train", gpus=1, is_gang=True, max_workers=8), r"gang of 8 workers.*4 of them fit.*return 4"),
    ],
)
def test_what_fits_nowhere_is_told_before_the_start_with_the_numbers(asked, message):
    with pytest.raises(ConfigurationError, match=message):
        place(plan(stage("read"), asked), nodes(2))


def test_the_stage_that_wants_the_most_is_the_one_that_is_named():
    with pytest.raises(ConfigurationError, match="stage 'b' wants 9 cores"):
        check_feasible(plan(stage("a"), stage("b", cpus=9)), nodes(1))


def test_without_a_machine_nothing_runs():
    with pytest.raises(ConfigurationError, match="no machine"):
        check_feasible(plan(stage("a")), [])


def test_two_stages_that_each_want_the_only_gpu_take_turns():
    made = plan(stage("a", gpus=1), stage("b", gpus=1), stage("write"), fuse=False)
    assert time_sharing(made, nodes(1, gpus=1)) == ((0,), (1, 2))
    layout = place(made, nodes(1, gpus=1))
    assert counts(layout) == [1, 1, 7]
    assert [edge.waits for edge in layout.edges] == [True, False]


def test_segments_that_fit_together_do_not_take_turns():
    assert time_sharing(plan(stage("a", gpus=1), stage("b", gpus=0.5)), nodes(1)) == ((0, 1),)


asks = st.one_of(
    st.just({}),
    st.builds(lambda g: {"gpus": g}, st.sampled_from([0.25, 0.3, 0.5, 1, 2])),
    st.builds(lambda g: {"gb": g}, st.sampled_from([4, 20, 60])),
)
stages = st.lists(
    st.builds(
        lambda ask, cpus, limit, gang: stage(
            "s", cpus=cpus, max_workers=limit or (2 if gang else None), is_gang=gang, **ask
        ),
        asks,
        st.sampled_from([0, 0.5, 1, 3]),
        st.sampled_from([None, None, 1, 5]),
        st.sampled_from([False, False, True]),
    ),
    min_size=1,
    max_size=6,
)
clusters = st.builds(
    lambda count, cores, gpus: nodes(count, cores=cores, gpus=gpus),
    st.integers(1, 4), st.integers(1, 8), st.integers(0, 4),
)  # fmt: skip


def placeable_alone(segment, cluster):
    ledger = Ledger.of(cluster)
    for _ in range(max(1, segment.gang)):
        found = ledger.place(segment.need)
        if found is None:
            return False
        ledger.take(found, segment.need)
    return True


@settings(max_examples=200, deadline=None)
@given(stages, clusters, st.booleans())
def test_a_plan_is_feasible_exactly_if_each_segment_finds_a_place_alone(chain, cluster, fuse):
    made = plan(*chain, fuse=fuse)
    if all(placeable_alone(segment, cluster) for segment in made.segments):
        check_feasible(made, cluster)
    else:
        with pytest.raises(ConfigurationError):
            check_feasible(made, cluster)


@settings(max_examples=200, deadline=None)
@given(stages, clusters, st.booleans())
def test_a_layout_never_overcommits_and_leaves_no_segment_out(chain, cluster, fuse):
    made = plan(*chain, fuse=fuse)
    if not all(placeable_alone(segment, cluster) for segment in made.segments):
        return
    layout = place(made, cluster)
    assert [at for phase in layout.phases for at in phase] == list(range(len(made.segments)))
    for phase in layout.phases:
        cores, gpus = Counter(), Counter()
        for at in phase:
            segment = made.segments[at]
            assert layout.places[at]
            assert len(layout.places[at]) <= (segment.max_workers or 10**9)
            assert not segment.gang or len(layout.places[at]) == segment.gang
            for each in layout.places[at]:
                cores[each.node] += segment.need.cpus_milli
                gpus.update({(each.node, gpu): share for gpu, share in each.gpus})
        assert all(cores[node.id] <= node.cpus_milli for node in cluster)
        assert all(taken <= MILLI for taken in gpus.values())
    assert [edge.stage for edge in layout.edges] == list(range(1, len(chain)))
    assert all(0 <= edge.remote <= 1 for edge in layout.edges)


@settings(max_examples=100, deadline=None)
@given(stages, clusters)
def test_phases_are_as_few_as_can_be_in_order(chain, cluster):
    made = plan(*chain, fuse=False)
    if not all(placeable_alone(segment, cluster) for segment in made.segments):
        return
    phases = time_sharing(made, cluster)
    for before, after in pairwise(phases):
        both = [made.segments[at] for at in (*before, after[0])]
        ledger = Ledger.of(cluster)
        fits = True
        for segment in sorted(both, key=lambda s: s.need.size, reverse=True):
            for _ in range(max(1, segment.gang)):
                found = ledger.place(segment.need)
                fits = fits and found is not None
                if found is not None:
                    ledger.take(found, segment.need)
        assert not fits
