"""A run that is killed three times at any time leaves what a run in peace leaves; `make chaos` does 200."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.chaos.killing import Bench
from tests.chaos.random_kills import kill_at_random
from tests.chaos.zygote import Zygote

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Zygote() as zygote:
        yield Bench(zygote, tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize("scenario", ["fuzzy, parquet", "pipeline, segments"])
def test_three_kills_at_any_time_cost_nothing_but_time(
    bench: Bench, rng: random.Random, scenario: str
) -> None:
    kill_at_random(bench, scenario, rng)
