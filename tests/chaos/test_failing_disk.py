"""Each failure of a disk is a sentence, and power that is lost costs nothing but time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.failing import CODES, Disk
from tests.chaos.killing import Bench
from tests.chaos.zygote import Zygote
from tests.diskfaults.library import build

SPREAD = 8
"""Calls that fail, of each scenario; `make chaos` takes them all."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Bench]:
    cache = request.config.cache
    assert cache is not None
    with Zygote({"LD_PRELOAD": str(build(cache.mkdir("faults")))}) as zygote:
        yield Bench(zygote, tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize(("scenario", "workers"), [("exact", 0), ("pipeline", 2)])
def test_a_call_that_fails_is_a_sentence_and_the_run_goes_on(
    bench: Bench, scenario: str, workers: int
) -> None:
    disk = Disk(bench, scenario, workers)
    calls = disk.count()
    for turn in range(SPREAD):
        disk.fail(1 + turn * calls // SPREAD, CODES[turn % len(CODES)])


@pytest.mark.parametrize(("scenario", "workers"), [("exact", 0), ("pipeline", 2)])
def test_power_that_is_lost_at_any_time_costs_nothing_but_time(
    bench: Bench, scenario: str, workers: int
) -> None:
    disk = Disk(bench, scenario, workers)
    calls = disk.count()
    for turn in range(SPREAD):
        disk.lose_power(calls - turn * calls // SPREAD, seed=turn)


@pytest.mark.parametrize("scenario", ["exact", "fuzzy, verified", "pipeline"])
def test_what_a_run_has_told_of_is_on_disk(bench: Bench, scenario: str) -> None:
    Disk(bench, scenario).finish_and_lose_power()
