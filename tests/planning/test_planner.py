from __future__ import annotations

import pytest

from gpucurate.planning.devices import device_of
from gpucurate.planning.planner import make_plan
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.resources import Resources
from gpucurate.spec.stage import StageSpec

CPU, BOTH = frozenset({"cpu"}), frozenset({"cpu", "cuda"})


def source(*columns, **options):
    return StageSpec("reader", "Reader", is_source=True, columns=columns or None, **options)


def plan(*stages, **options):
    return make_plan("main", stages, **options)


def test_a_missing_column_is_told_with_the_stage_and_what_there_is():
    stages = [
        source("id", "text"),
        StageSpec("length", "L", outputs=("n",)),
        StageSpec("score", "S", inputs=("n", "lang")),
    ]
    with pytest.raises(
        ConfigurationError, match=r"stage 'score' needs column 'lang'.*reader, length.*id, n, text"
    ):
        plan(*stages)


def test_columns_that_stages_add_are_there_for_those_after_them():
    plan(source("text"), StageSpec("a", "A", outputs=("n",)), StageSpec("b", "B", inputs=("n", "text")))


def test_a_source_that_does_not_know_its_columns_is_believed():
    plan(source(), StageSpec("b", "B", inputs=("anything",)))


def test_a_pipeline_without_stages_is_refused():
    with pytest.raises(ConfigurationError, match="no stage"):
        plan()


def test_a_stage_for_gpus_alone_is_refused_without_one():
    stage = StageSpec("embed", "E", devices=frozenset({"cuda"}))
    with pytest.raises(
        ConfigurationError, match="stage 'embed' runs on cuda only, and this machine offers cpu"
    ):
        plan(stage)
    assert plan(stage, available=BOTH).segments[0].device == "cuda"


def test_a_wish_for_a_gpu_counts_only_where_there_is_one():
    stage = StageSpec("classify", "C", resources=Resources(gpus=1))
    assert device_of(stage, CPU) == "cpu"
    assert device_of(stage, BOTH) == "cuda"
    assert device_of(StageSpec("filter", "F"), BOTH) == "cpu"


def test_segments_are_cut_where_the_device_changes():
    gpu = Resources(gpus=1)
    stages = [
        source("text"),
        StageSpec("a", "A", resources=gpu),
        StageSpec("b", "B", resources=gpu),
        StageSpec("w", "W"),
    ]
    segments = plan(*stages, available=BOTH).segments
    assert [[s.name for s in segment.stages] for segment in segments] == [["reader"], ["a", "b"], ["w"]]
    assert [segment.first for segment in segments] == [0, 1, 3]
    assert segments[1].cut == "from cpu to cuda"
    assert len(plan(*stages).segments) == 1


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([StageSpec("a", "A", batch_size=0)], "batch_size is 0"),
        ([StageSpec("a", "A", max_workers=0)], "num_workers"),
        ([StageSpec("a", "A"), source("text")], "only be the first"),
    ],
)
def test_shapes_that_cannot_work_are_refused(stages, message):
    with pytest.raises(ConfigurationError, match=message):
        plan(*stages)


def test_the_fingerprint_is_of_what_decides_results():
    base = StageSpec("a", "A", config={"threshold": 1})
    prints = {
        plan(stage, decides=decides).fingerprint
        for stage, decides in [
            (base, None),
            (StageSpec("a", "A", config={"threshold": 2}), None),
            (StageSpec("a", "A", config={"threshold": 1}, batch_size=2), None),
            (StageSpec("a", "B", config={"threshold": 1}), None),
            (base, {"unit_bytes": 5}),
        ]
    }
    assert len(prints) == 5
    same = StageSpec("a", "A", config={"threshold": 1}, resources=Resources(cpus=4), max_workers=2)
    assert plan(same).fingerprint == plan(base).fingerprint
