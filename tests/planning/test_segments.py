"""Which stages share a worker, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.planning.costs import Costs, StageCost
from gpucurate.planning.planner import make_plan
from gpucurate.planning.segments import cut_segments
from gpucurate.planning.units import units_of_tasks
from gpucurate.spec.bytesize import GIB, MIB
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.resources import Resources
from gpucurate.spec.stage import StageSpec

BOTH = frozenset({"cpu", "cuda"})
GB = 10**9


def stage(name, *, cpus=1.0, gpus=0.0, gb=0.0, **more):
    return StageSpec(name, name, resources=Resources(cpus, gb, gpus), **more)


def follower(name, **more):
    return stage(name, follows_device=True, **more)


def cut(*stages, available=BOTH, **options):
    return cut_segments(stages, available, **options)


def names(segments):
    return [" ".join(s.name for s in segment.stages) for segment in segments]


def measured(**costs):
    """Seconds a megabyte of stages, each of which hands on what it is given."""
    return Costs({name: (StageCost(seconds, 1.0, False),) for name, seconds in costs.items()}, GB)


def test_equal_shares_of_a_gpu_share_a_worker_and_unequal_ones_do_not():
    segments = cut(stage("a", gpus=0.5), stage("b", gpus=0.5), stage("c", gpus=1))
    assert names(segments) == ["a b", "c"]
    assert segments[0].resources == Resources(gpus=0.5)
    assert "same GPU" in segments[0].fused[0]
    assert segments[1].cut == "gpus=1, before it gpus=0.5"


def test_memory_of_a_gpu_is_added_up_to_85_percent_of_it():
    asks = [stage("a", gb=30), stage("b", gb=30), stage("c", gb=30)]
    segments = cut(*asks, gpu_memory=80 * GB)
    assert names(segments) == ["a b", "c"]
    assert segments[0].resources.gpu_memory_gb == 60
    assert segments[0].fused == (
        "on the same GPU (30 + 30 GB, within 68 GB, 85% of its memory), a batch stays where it is",
    )
    assert segments[1].cut == "together they ask for 90 GB, more than 68 GB, 85% of a GPU's memory"
    assert names(cut(*asks)) == ["a b c"]  # nobody knows how much there is


def test_a_share_and_an_amount_of_memory_cannot_be_compared():
    segments = cut(stage("a", gpus=0.5), stage("b", gb=8))
    assert names(segments) == ["a", "b"]
    assert "gpu_memory_gb" in segments[1].cut


def test_a_worker_on_a_gpu_of_which_nobody_says_how_much_has_one_for_itself():
    (segment,) = cut(stage("a", devices=frozenset({"cuda"})))
    assert segment.resources.gpus == 1
    assert segment.need.gpus_milli == 1000


def test_a_share_of_next_to_nothing_is_a_share():
    assert cut(stage("a", gpus=0.000_1))[0].need.gpus_milli == 1


def test_a_worker_has_as_many_cores_as_its_hungriest_stage():
    (segment,) = cut(stage("a", cpus=2), stage("b", cpus=4))
    assert segment.resources == Resources(cpus=4)


def test_environments_are_kept_apart():
    own = {"env_vars": {"MODE": "fast"}}
    segments = cut(stage("a"), stage("b", runtime_env=own), stage("c", runtime_env=own), stage("d"))
    assert names(segments) == ["a", "b c", "d"]
    assert [segment.environment for segment in segments] == [None, own, None]
    assert segments[1].cut == "another environment (env_vars)"


def test_an_environment_that_asks_for_nothing_is_that_of_the_run():
    assert names(cut(stage("a"), stage("b", runtime_env={}), stage("c", runtime_env={"env_vars": {}}))) == [
        "a b c"
    ]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"pip": ["x"]}, "runtime_env has pip, only env_vars and py_executable"),
        ({"env_vars": {"N": 1}}, "expected names and values as text"),
        ({"env_vars": ["N"]}, "expected names and values as text"),
        ({"py_executable": 3}, "expected the path of a Python"),
        ({"env_vars": {"CUDA_VISIBLE_DEVICES": "1"}}, "say with resources"),
    ],
)
def test_an_environment_that_nobody_can_make_is_refused(environment, message):
    with pytest.raises(ConfigurationError, match=message):
        cut(stage("a", runtime_env=environment))


def test_a_limit_on_workers_does_not_slow_stages_that_have_none():
    segments = cut(
        stage("a"), stage("b", max_workers=2), stage("c", max_workers=2), stage("d", max_workers=3)
    )
    assert names(segments) == ["a", "b c", "d"]
    assert segments[1].cut == "num_workers() is 2, before it not limited"


def test_a_cheap_stage_shares_a_limit_since_that_harms_nothing():
    stages = [stage("a"), stage("b", max_workers=2), stage("c")]
    assert names(cut(*stages, costs=measured(a=0.000_1, b=0.1, c=0.000_1))) == ["a b c"]
    assert names(cut(*stages, costs=measured(a=0.1, b=0.000_1, c=0.1))) == ["a", "b", "c"]


def test_what_follows_a_batch_on_a_gpu_shares_any_limit():
    segments = cut(follower("reader"), stage("a", gpus=1, max_workers=2), follower("writer"))
    assert names(segments) == ["reader a writer"]
    assert segments[0].max_workers == 2


def test_a_gang_is_alone_and_says_of_how_many():
    segments = cut(stage("a"), stage("train", gpus=1, is_gang=True, max_workers=4), stage("c", gpus=1))
    assert names(segments) == ["a", "train", "c"]
    assert [segment.gang for segment in segments] == [0, 4, 0]
    with pytest.raises(ConfigurationError, match=r"'train' is a gang, and num_workers\(\) is None"):
        cut(stage("train", is_gang=True))


def test_a_stage_that_follows_does_not_hold_a_gpu_alone():
    segments = cut(
        follower("reader"),
        stage("train", gpus=1, is_gang=True, max_workers=4),
        follower("writer"),
        stage("count"),
    )
    assert names(segments) == ["reader", "train", "writer count"]
    assert [segment.device for segment in segments] == ["cpu", "cuda", "cpu"]


def test_cheap_neighbours_on_the_cpu_share_a_worker():
    (segment,) = cut(stage("a"), stage("b"), costs=measured(a=0.000_2, b=0.5))
    assert segment.fused == ("13.4 ms for a unit of 64 MiB do not repay workers of their own",)


def test_neighbours_on_the_cpu_that_work_long_are_sized_apart():
    _, second = cut(stage("a"), stage("b"), costs=measured(a=0.1, b=0.5))
    assert second.cut == (
        "a copy of 67.1 MB for a unit of 64 MiB takes 67.1 ms, below 5% of the work's 40.3 s: "
        "workers of their own can be as many as each needs"
    )


def test_neighbours_on_the_cpu_whose_copy_would_cost_as_much_as_their_work_share_a_worker():
    (segment,) = cut(stage("a"), stage("b"), costs=measured(a=0.001, b=0.001))
    assert segment.fused == ("a copy of 67.1 MB takes 67.1 ms, the work 134 ms, for a unit of 64 MiB",)


def test_a_cost_that_was_measured_on_the_other_device_counts_for_nothing():
    on_gpu = Costs({name: (StageCost(0.5, 1.0, True),) for name in "ab"}, GB)
    assert names(cut(stage("a"), stage("b"), costs=on_gpu)) == ["a b"]


def test_fusing_can_be_switched_off():
    segments = cut(follower("reader"), stage("a", gpus=1), stage("b", gpus=1), follower("writer"), fuse=False)
    assert names(segments) == ["reader", "a", "b", "writer"]
    assert [segment.device for segment in segments] == ["cpu", "cuda", "cuda", "cpu"]
    assert {segment.cut for segment in segments[1:]} == {"fusing is switched off"}


def test_batches_are_cut_anew_for_the_segment_that_is_given_them():
    segments = cut(stage("a"), stage("b", gpus=1), stage("c"), gpu_memory=80 * GB)
    assert [segment.batch_bytes for segment in segments] == [None, 2 * GIB, 256 * MIB]
    (_, small) = cut(stage("a"), stage("b", gb=6), gpu_memory=80 * GB)
    assert small.batch_bytes == 500_000_000
    (_, unknown) = cut(stage("a"), stage("b", gpus=1))
    assert unknown.batch_bytes == 16 * GB // 12


def test_batches_of_a_segment_that_cannot_be_split_are_left_as_they_come():
    segments = cut(stage("a"), stage("b", gpus=1), stage("c", gpus=1, splittable=False))
    assert (segments[1].splittable, segments[1].batch_bytes) == (False, None)


def test_a_unit_holds_as_many_tasks_as_the_widest_stage_of_any_segment_takes():
    plan = make_plan("main", [stage("a"), stage("b", gpus=1, batch_size=3)], available=BOTH)
    assert len(plan.segments) == 2
    assert [len(u.payload) for u in units_of_tasks(plan, [(i, 1, str(i)) for i in range(7)])] == [3, 3, 1]


def any_stage(number):
    asks = st.one_of(
        st.just({}),
        st.builds(lambda g: {"gpus": g}, st.sampled_from([0.25, 0.5, 1, 2])),
        st.builds(lambda g: {"gb": g}, st.sampled_from([4, 20, 60])),
    )
    return st.builds(
        lambda asked, cpus, follows, workers, env, splits, gang: stage(
            f"s{number}",
            cpus=cpus,
            follows_device=follows,
            max_workers=workers or (3 if gang else None),
            runtime_env={"env_vars": {"E": env}} if env else None,
            splittable=splits,
            is_gang=gang,
            **asked,
        ),
        asks,
        st.sampled_from([0, 0.5, 1, 4]),
        st.booleans(),
        st.sampled_from([None, None, 1, 4]),
        st.sampled_from(["", "", "x"]),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    )


chains = st.integers(1, 8).flatmap(lambda n: st.tuples(*(any_stage(at) for at in range(n))))
costs = st.one_of(
    st.none(),
    st.lists(st.sampled_from([1e-4, 1e-2, 1.0]), min_size=8, max_size=8).map(
        lambda each: measured(**{f"s{at}": seconds for at, seconds in enumerate(each)})
    ),
)


@given(chains, st.booleans(), costs, st.sampled_from([None, 80 * GB]))
def test_cutting_keeps_each_stage_in_its_place_and_its_needs(chain, fuse, costs, memory):
    segments = cut(*chain, fuse=fuse, costs=costs, gpu_memory=memory)
    assert [s for segment in segments for s in segment.stages] == list(chain)
    at = 0
    for index, segment in enumerate(segments):
        assert (segment.index, segment.first) == (index, at)
        at += len(segment.stages)
        assert segment.cut
        assert len(segment.fused) == len(segment.stages) - 1
        assert all(segment.fused)
        for each in segment.stages:
            own = each.resources.on(segment.device)
            assert segment.resources.cpus >= own.cpus
            assert segment.resources.gpus >= own.gpus
            assert segment.resources.gpu_memory_gb >= own.gpu_memory_gb
        assert segment.need.uses_gpu == (segment.device == "cuda")
        assert (segment.batch_bytes is None) == (index == 0 or not segment.splittable)
    if not fuse:
        assert len(segments) == len(chain)


@given(chains, costs)
def test_cutting_does_not_change_what_a_plan_is_known_by(chain, costs):
    prints = {
        make_plan("p", chain, available=available, fuse=fuse, costs=costs).fingerprint
        for fuse in (True, False)
        for available in (BOTH, frozenset({"cpu"}))
    }
    assert len(prints) == 1
