"""What is said to cross between host and device."""

from gpucurate.planning.crossings import crossings
from gpucurate.planning.planner import make_plan
from gpucurate.spec.resources import Resources
from gpucurate.spec.stage import StageSpec

BOTH = frozenset({"cpu", "cuda"})
ON_GPU = Resources(gpus=1)


def stage(name, gpu=False, **more):
    return StageSpec(name, name, resources=ON_GPU if gpu else Resources(), **more)


def plan(*stages):
    return make_plan("main", stages, available=BOTH)


def test_stages_of_one_device_hand_over_a_reference():
    made = plan(stage("reader", True, is_source=True), stage("a", True), stage("b", True))
    assert [segment.device for segment in made.segments] == ["cuda"]
    assert [(c.stage, c.to, c.nbytes) for c in crossings(made, 100)] == [("reader", "cuda", 100)]


def test_each_change_of_device_is_a_crossing_with_its_cause():
    made = plan(stage("reader", is_source=True), stage("a", True), stage("b"), stage("c", True))
    assert made.devices == ("cpu", "cuda", "cpu", "cuda")
    found = [(c.stage, c.to, c.why) for c in crossings(made, 5)]
    assert found == [
        ("a", "cuda", "runs on a GPU"),
        ("b", "cpu", "runs on the CPU"),
        ("c", "cuda", "runs on a GPU"),
    ]


def test_a_stage_that_follows_the_device_makes_no_crossing():
    made = plan(stage("reader", True, is_source=True), stage("a", True), stage("writer", follows_device=True))
    assert made.devices == ("cuda", "cuda", "cuda")
    assert len(list(crossings(made, 5))) == 1


def test_a_reader_goes_where_the_stages_after_it_are():
    reader = stage("reader", is_source=True, follows_device=True)
    assert plan(reader, stage("a", True), stage("b")).devices == ("cuda", "cuda", "cpu")
    assert plan(reader, stage("a"), stage("b", True)).devices == ("cpu", "cpu", "cuda")
    assert plan(reader, stage("writer", follows_device=True)).devices == ("cpu", "cpu")


def test_without_a_gpu_nothing_crosses():
    made = make_plan("main", [stage("reader", True, is_source=True), stage("a", True)])
    assert made.devices == ("cpu", "cpu")
    assert not list(crossings(made, 5))


def test_what_stages_ask_of_a_gpus_memory_is_the_workers_limit():
    asks = [StageSpec(n, n, resources=Resources(gpu_memory_gb=g)) for n, g in (("a", 2.5), ("b", 8))]
    assert plan(*asks).gpu_memory == 10.5 * 10**9  # in one worker
    assert make_plan("main", asks, available=BOTH, fuse=False).gpu_memory == 8 * 10**9
    assert plan(stage("a", True)).gpu_memory is None
    assert make_plan("main", asks).gpu_memory is None


def test_a_checkpoint_between_stages_on_a_gpu_takes_the_batch_down_and_up_again():
    kept = stage("kept", follows_device=True, is_checkpoint=True)
    made = plan(stage("reader", True, is_source=True), stage("a", True), kept, stage("b", True))
    assert [[s.name for s in segment.stages] for segment in made.segments] == [["reader", "a", "kept"], ["b"]]
    assert [segment.device for segment in made.segments] == ["cuda", "cuda"]
    assert made.segments[1].cut == "kept before it is where a later run may begin"
    assert [(c.stage, c.to, c.why) for c in crossings(made, 5)][1:] == [
        ("kept", "cpu", "keeps what passes on disk"),
        ("b", "cuda", "goes on from there"),
    ]


def test_a_checkpoint_before_stages_of_the_cpu_takes_it_down_once():
    kept = stage("kept", follows_device=True, is_checkpoint=True)
    made = plan(stage("reader", True, is_source=True), kept, stage("writer", follows_device=True))
    assert [segment.device for segment in made.segments] == ["cuda", "cpu"]
    assert [(c.stage, c.to) for c in crossings(made, 5)] == [("reader", "cuda"), ("writer", "cpu")]
