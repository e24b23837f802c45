"""Stages that fail to set up, hang, leak, or do not go: the run ends, with all documents or a sentence."""

from __future__ import annotations

import random

import pytest

from gpucurate import LocalExecutor
from gpucurate.spec.errors import StageError
from tests.backends.corpus import write_corpus
from tests.chaos.crowd import check_exactly_once, clean, pipeline
from tests.chaos.stages import Moody, Sieve

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


@pytest.fixture
def wanted(tmp_path, corpus):
    (tmp_path / "calm").mkdir()
    return clean(corpus, tmp_path / "clean", Moody(tmp_path / "calm"), Sieve(3))


def moods(seed):
    """Three setups of ten that fail, in one way or another."""
    rng = random.Random(seed)
    return "".join(rng.choice("xk") if rng.random() < 0.3 else "." for _ in range(200))


def test_a_setup_that_fails_three_times_in_ten_costs_only_starts(tmp_path, folder, rng, corpus, wanted):
    seed = rng.random()
    stage = Moody(folder, moods(seed))
    config = {"fuse": False, "worker_max_units": 1, "worker_restart_interval_m": 1e-6}
    result = pipeline(corpus, tmp_path / "out", stage, Sieve(3)).run(LocalExecutor(workers=4, config=config))
    check_exactly_once(tmp_path / "out", result, wanted)


def test_a_setup_that_always_fails_is_a_sentence(tmp_path, folder, corpus):
    with pytest.raises(StageError, match=r"^stage 'Moody' could not be set up: ConnectionError: the model's"):
        pipeline(corpus, tmp_path / "out", Moody(folder, "x" * 100), Sieve(3)).run(
            LocalExecutor(workers=2, config={"fuse": False})
        )
    assert len(list(folder.glob("setup-*"))) <= 12


def test_a_setup_that_hangs_once_is_ended_and_another_worker_is_started(tmp_path, folder, corpus, wanted):
    result = pipeline(corpus, tmp_path / "out", Moody(folder, "z"), Sieve(3)).run(
        LocalExecutor(workers=3, config={"fuse": False, "stall_timeout_s": 5})
    )
    check_exactly_once(tmp_path / "out", result, wanted)


def test_a_setup_that_always_hangs_is_a_sentence(tmp_path, folder, corpus):
    with pytest.raises(StageError, match="it was not set up within 3 s"):
        pipeline(corpus, tmp_path / "out", Moody(folder, "z" * 100)).run(
            LocalExecutor(workers=5, config={"stall_timeout_s": 3})
        )


@pytest.mark.parametrize("fuse", [False, True], ids=["segments", "fused"])
def test_a_worker_that_leaks_is_replaced_and_the_report_says_so(tmp_path, folder, fuse):
    corpus = write_corpus(tmp_path / "many", files=40)
    (tmp_path / "calm2").mkdir()
    wanted = clean(corpus, tmp_path / "clean2", Moody(tmp_path / "calm2"), Sieve(3))
    stage = Moody(folder, leaks=8_000_000, seconds=0.06)
    config = {"fuse": fuse, "worker_max_growth": "50MB", "worker_restart_interval_m": 1e-6}
    result = pipeline(corpus, tmp_path / "out", stage, Sieve(3)).run(LocalExecutor(workers=1, config=config))
    check_exactly_once(tmp_path / "out", result, wanted)
    recycled = [each for each in result.report.phases[0].decisions if each.what == "recycle"]
    assert recycled
    assert "MB" in recycled[0].why
    assert any("successor" in each.about for each in recycled), "it comes first where there is room"
    assert recycled[0].why in result.report.phases[0].describe()
    assert result.report.phases[0].retries == 0
    replaced = [each for each in recycled if each.segment == (0 if fuse else 1)]
    torn_down = list(folder.glob("teardown-*"))
    assert len(torn_down) > len(replaced), "each in a process that nothing has leaked in"


@pytest.mark.parametrize("limit", ["worker_max_units", "worker_max_lifetime_m"])
def test_workers_are_replaced_while_the_run_goes_on(tmp_path, folder, limit):
    corpus = write_corpus(tmp_path / "many", files=40)
    (tmp_path / "calm2").mkdir()
    wanted = clean(corpus, tmp_path / "clean2", Moody(tmp_path / "calm2"), Sieve(3))
    config = {
        "fuse": False,
        "worker_restart_interval_m": 1e-6,
        limit: 5 if limit == "worker_max_units" else 0.01,
    }
    result = pipeline(corpus, tmp_path / "out", Moody(folder, seconds=0.06), Sieve(3)).run(
        LocalExecutor(workers=4, config=config)
    )
    check_exactly_once(tmp_path / "out", result, wanted)
    assert [each for each in result.report.phases[0].decisions if each.what == "recycle"]
    assert result.report.phases[0].retries == 0


@pytest.mark.parametrize("how", ["raises", "hangs"])
def test_a_teardown_that_fails_costs_no_result(tmp_path, folder, corpus, wanted, ear, how):
    config = {"fuse": False, "worker_max_units": 2, "worker_restart_interval_m": 1e-6}
    result = pipeline(corpus, tmp_path / "out", Moody(folder, tears_down=how), Sieve(3)).run(
        LocalExecutor(workers=4, config=config), observer=ear
    )
    check_exactly_once(tmp_path / "out", result, wanted)
    assert result.report.phases[0].retries == 0
    said = "no teardown today" if how == "raises" else "it did not stop within 10 s"
    assert ear.heard(said)
