"""Machines with less than a pipeline would like: it takes turns, or a sentence says what is missing."""

from __future__ import annotations

import pytest

from gpucurate import LocalExecutor, Pipeline
from gpucurate.backends.gpu import close_memory
from gpucurate.spec.errors import ConfigurationError, GpucurateError
from gpucurate.spec.resources import Resources
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.chaos.crowd import check_exactly_once, clean, pipeline
from tests.chaos.stages import OnGpu, OnGpu2, Sieve, Sieve2, Sieve3, Sieve4

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def device(cuda):
    """One GPU."""
    yield cuda
    close_memory()


def test_two_stages_that_want_the_only_gpu_and_cannot_share_a_worker_take_turns(device, corpus, tmp_path):
    apart = OnGpu2().with_(runtime_env={"env_vars": {"CHAOS": "1"}})
    wanted = clean(corpus, tmp_path / "clean", Sieve(3))
    result = pipeline(corpus, tmp_path / "out", OnGpu(), apart, Sieve(3)).run(
        LocalExecutor(workers=2, gpus=1)
    )
    check_exactly_once(tmp_path / "out", result, wanted)
    said = [each for each in result.report.phases[0].decisions if each.what == "time-share"]
    assert "not even one worker of each of" in said[0].why


def test_more_gpus_than_there_are_is_a_sentence_before_the_start(device, corpus, tmp_path):
    greedy = OnGpu().with_(resources=Resources(gpus=3))
    with pytest.raises(ConfigurationError, match=r"'OnGpu' wants 3 GPUs .* this machine has 1 GPU"):
        pipeline(corpus, tmp_path / "out", greedy).run(LocalExecutor(workers=2))


def test_more_cores_than_there_are_is_a_sentence_before_the_start(corpus, tmp_path):
    greedy = Sieve(3).with_(resources=Resources(cpus=4096))
    with pytest.raises(ConfigurationError, match=r"'Sieve' wants 4096 cores .* this machine has no GPU and"):
        pipeline(corpus, tmp_path / "out", greedy).run(LocalExecutor(workers=2))


def test_stages_that_want_all_cores_each_take_turns(corpus, tmp_path):
    cores = Resources(cpus=LocalExecutor(workers=2).workers)
    wanted = clean(corpus, tmp_path / "clean", Sieve(3), Sieve2(5))
    result = pipeline(
        corpus, tmp_path / "out", Sieve(3).with_(resources=cores), Sieve2(5).with_(resources=cores)
    ).run(LocalExecutor(workers=2, config={"fuse": False}))
    check_exactly_once(tmp_path / "out", result, wanted)


def test_no_input_is_a_sentence(tmp_path):
    (tmp_path / "in").mkdir()
    for executor in (LocalExecutor(workers=2), LocalExecutor(workers=2, config={"fuse": False})):
        stages = [JsonlReader(tmp_path / "in"), Sieve(3), JsonlWriter(tmp_path / "out")]
        with pytest.raises(GpucurateError, match=r"no .*(files|input)"):
            Pipeline("chaos", stages=stages).run(executor)


@pytest.mark.parametrize(("workers", "memory"), [(1, None), (2, "1MB")])
def test_more_segments_than_workers_is_a_run_that_ends(corpus, tmp_path, workers, memory):
    stages = Sieve(3), Sieve2(5), Sieve3(7), Sieve4(11)
    wanted = clean(corpus, tmp_path / "clean", *stages)
    result = pipeline(corpus, tmp_path / "out", *stages).run(
        LocalExecutor(workers=workers, memory=memory, config={"fuse": False})
    )
    check_exactly_once(tmp_path / "out", result, wanted)
