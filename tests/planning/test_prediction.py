"""What a run is said to move, hold and take."""

from __future__ import annotations

import pytest

from gpucurate.planning.costs import Costs, StageCost
from gpucurate.planning.placement import place
from gpucurate.planning.prediction import Volume, predict
from tests.planning.cluster import GB, nodes, plan, stage

VOLUME = Volume(100 * GB, 400 * GB, 1000)


def costs(**each):
    """(seconds a megabyte, expansion, bytes of the pool) by stage."""
    return Costs(
        {
            name: (StageCost(seconds, expansion, bool(pool), sum(pool)),)
            for name, (seconds, expansion, *pool) in each.items()
        },
        GB,
    )


MEASURED = costs(read=(0.01, 2.0), embed=(0.04, 0.5, 30 * GB), write=(0.01, 1.0))
CHAIN = stage("read"), stage("embed", gpus=1), stage("write")


def predicted(*chain, cluster, costs=None, volume=VOLUME, **options):
    made = plan(*chain, costs=costs, **options)
    return predict(made, place(made, cluster, costs), volume, costs)


def test_without_an_earlier_run_no_time_is_invented():
    found = predicted(*CHAIN, cluster=nodes(2))
    assert (found.seconds, found.gpu_seconds) == (None, None)
    assert found.unknown == ("read", "embed", "write")
    assert found.bottleneck == (None,)
    assert [(move.nbytes, move.at_most) for move in found.moved] == [(400 * GB, True)] * 2


def test_bytes_follow_what_stages_made_of_them():
    found = predicted(*CHAIN, cluster=nodes(1), costs=MEASURED)
    assert [(move.nbytes, move.at_most) for move in found.moved] == [(200 * GB, False), (100 * GB, False)]


def test_time_is_that_of_the_slowest_segment_with_its_workers():
    made = plan(*CHAIN, costs=MEASURED)
    layout = place(made, nodes(2, cores=34), MEASURED)
    found = predict(made, layout, VOLUME, MEASURED)
    read, embed, write = [len(places) for places in layout.places]
    assert embed == 4
    assert read == pytest.approx(write, rel=0.1)
    assert found.segment_seconds[1] == pytest.approx(200_000 * 0.04 / 4)
    assert found.seconds == found.segment_seconds[1]
    assert found.bottleneck == (1,)
    assert found.gpu_seconds == found.seconds * 4


def test_no_more_workers_count_than_there_are_units():
    few = predicted(*CHAIN, cluster=nodes(2), costs=MEASURED, volume=Volume(100 * GB, 100 * GB, 3))
    assert few.segment_seconds[1] == pytest.approx(200_000 * 0.04 / 3)
    five = predicted(*CHAIN, cluster=nodes(2), costs=MEASURED, volume=Volume(100 * GB, 100 * GB, 5))
    assert five.segment_seconds[1] == pytest.approx(200_000 * 0.04 * 2 / 5)  # four at a time, then one


def test_one_stage_without_figures_leaves_the_time_open():
    known = costs(read=(0.01, 2.0), write=(0.01, 1.0))
    found = predicted(*CHAIN, cluster=nodes(1), costs=known)
    assert found.seconds is None
    assert found.unknown == ("embed",)
    assert found.segment_seconds[0] is not None


def test_phases_come_one_after_the_other_and_what_lies_between_is_on_disk():
    chain = stage("a", gpus=1), stage("b", gpus=1), stage("c", gpus=1)
    known = costs(a=(0.01, 2.0, 1), b=(0.02, 0.5, 1), c=(0.01, 1.0, 1))
    found = predicted(*chain, cluster=nodes(1, gpus=1), costs=known, fuse=False)
    assert found.seconds == pytest.approx(sum(found.segment_seconds))
    assert found.seconds == pytest.approx(100_000 * (0.01 + 0.04 + 0.01))
    assert found.gpu_seconds == pytest.approx(found.seconds)
    assert [move.scratch_bytes for move in found.moved] == [200 * GB, 100 * GB]
    assert found.scratch_bytes == 300 * GB
    assert found.bottleneck == (0, 1, 2)


def test_segments_side_by_side_need_no_disk():
    assert predicted(*CHAIN, cluster=nodes(1)).scratch_bytes == 0


def test_memory_of_a_gpu_is_that_of_all_workers_on_it():
    chain = stage("a", gb=20), stage("b", gb=30, runtime_env={"env_vars": {"X": "1"}})
    found = predicted(*chain, cluster=nodes(1, gpus=1))
    assert found.gpu_bytes == 70 * GB
    assert [(share.limit, share.workers) for share in found.gpu_shares] == [(20 * GB, 2), (30 * GB, 1)]
    (whole,) = predicted(stage("embed", gpus=1), cluster=nodes(1), costs=MEASURED).gpu_shares
    assert (whole.limit, whole.gpu, whole.measured) == (80 * GB, 80 * GB, 30 * GB)


def test_stages_of_one_worker_move_nothing():
    (move,) = predicted(stage("a"), stage("b"), cluster=nodes(1)).moved
    assert (move.kind, move.nbytes) == ("same-process", 0)


def test_what_leaves_its_machine_is_told():
    (move,) = predicted(stage("a", gpus=1), stage("b", gpus=0.5), cluster=nodes(2, gpus=1)).moved
    assert (move.kind, move.network_bytes) == ("network", 400 * GB)


def test_there_is_room_where_there_was_none_if_stages_share_workers():
    slow = costs(a=(0.1, 1.0), b=(0.1, 1.0), c=(0.1, 1.0))
    chain = stage("a"), stage("b"), stage("c")
    assert len(plan(*chain, costs=slow, nodes=nodes(1, cores=3)).segments) == 3
    (tight,) = plan(*chain, costs=slow, nodes=nodes(1, cores=2)).segments
    assert tight.fused == ("there is no room for workers of each",) * 2
    assert len(plan(*chain, costs=slow, nodes=nodes(1, cores=2), fuse=False).segments) == 3
