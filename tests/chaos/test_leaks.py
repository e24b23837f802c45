"""A stage that leaks has its worker replaced, and is named; one whose caches fill up has not."""

from __future__ import annotations

import time

import pytest

from gpucurate import LocalExecutor
from gpucurate.stages.base import ProcessingStage
from tests.backends.corpus import write_corpus
from tests.chaos.crowd import check_exactly_once, clean, pipeline
from tests.chaos.stages import Sieve

pytestmark = pytest.mark.timeout(120)

LEAK = 4_000_000


class Hoards(ProcessingStage):
    """Keeps some megabytes of each batch, up to so many batches."""

    not_in_plan = ("batches",)

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def setup(self, worker_metadata=None):
        self.held = []

    def process(self, batch):
        time.sleep(0.05)
        if len(self.held) < self.batches:
            self.held.append(b"x" * LEAK)
        return batch


def recycled(tmp_path, batches):
    """The decisions to replace a worker, of a run of 60 units in which one stage hoards."""
    corpus = write_corpus(tmp_path / "in", files=60)
    wanted = clean(corpus, tmp_path / "clean", Sieve(3), Hoards(0))
    config = {"worker_max_leak": "80MB", "worker_restart_interval_m": 1e-6}
    result = pipeline(corpus, tmp_path / "out", Sieve(3), Hoards(batches)).run(
        LocalExecutor(workers=1, config=config)
    )
    check_exactly_once(tmp_path / "out", result, wanted)
    assert result.report.phases[0].retries == 0
    return [each for each in result.report.phases[0].decisions if each.what == "recycle"]


def test_a_stage_that_leaks_is_named_and_its_worker_replaced(tmp_path):
    first, *_ = recycled(tmp_path, 10**6)
    assert "its memory grew by 4" in first.why
    assert "a unit over its last" in first.why
    assert "99.9% confidence" in first.why
    assert "stage 'Hoards', during whose calls" in first.why


def test_a_cache_that_fills_up_is_no_leak(tmp_path):
    assert recycled(tmp_path, 24) == []
