"""Memory: what waits stays within its budget, and what one worker learns all others are told."""

from __future__ import annotations

import logging
import re

import psutil
import pytest

from gpucurate import LocalExecutor
from gpucurate.backends.executors import EDGE_SHARE
from gpucurate.backends.lanes import WORKER_BASE
from tests.backends.corpus import write_corpus
from tests.chaos.conftest import Ear
from tests.chaos.crowd import check_exactly_once, clean, pipeline
from tests.chaos.stages import LacksMemoryOnce, Sieve, Sieve2

pytestmark = pytest.mark.timeout(90)


@pytest.mark.parametrize("budget", [1, 40_000], ids=["one item", "some items"])
def test_what_waits_for_a_slow_consumer_stays_within_the_budget_and_one_item(tmp_path, budget):
    corpus = write_corpus(tmp_path / "in", files=40, rows=20, size=300)
    largest = 2 * max(path.stat().st_size for path in corpus.iterdir())  # as it crosses, with its index
    wanted = clean(corpus, tmp_path / "clean", Sieve(3), Sieve2(5))
    memory = WORKER_BASE + budget * EDGE_SHARE * 3
    result = pipeline(corpus, tmp_path / "out", Sieve(3), Sieve2(5, 0.1)).run(
        LocalExecutor(workers=4, memory=memory, config={"fuse": False})
    )
    check_exactly_once(tmp_path / "out", result, wanted)
    peaks = result.report.phases[0].edge_peaks
    assert len(peaks) == 3
    assert all(0 < peak <= budget + largest for peak in peaks), (peaks, budget, largest)


def peak_of_run(tmp_path, name, files):
    """The most memory that driver and workers were seen to hold beside what they share, and the result."""
    corpus = write_corpus(tmp_path / f"in-{name}", files=files, rows=400, size=4000)
    seen = []

    class Watch(Ear):
        def unit_committed(self, *_):
            me = psutil.Process()
            seen.append(sum(p.memory_full_info().uss for p in me.children(recursive=True)))

    executor = LocalExecutor(workers=4, memory="900MB", config={"fuse": False})
    result = pipeline(corpus, tmp_path / f"out-{name}", Sieve(3), Sieve2(5, 0.05)).run(
        executor, observer=Watch()
    )
    return max(seen), result


def test_memory_does_not_grow_with_the_length_of_the_input(tmp_path):
    short, _ = peak_of_run(tmp_path, "short", 8)
    long, result = peak_of_run(tmp_path, "long", 40)
    print(f"peak {short / 1e6:.0f} MB with 8 files, {long / 1e6:.0f} MB with 40")
    assert result.report.phases[0].units == 40
    assert long < 1.5 * short


def test_a_lack_of_memory_in_one_worker_lowers_the_cap_of_all(tmp_path, caplog):
    corpus = write_corpus(tmp_path / "in", files=40)
    caplog.set_level(logging.INFO, "gpucurate.scheduler")
    result = pipeline(corpus, tmp_path / "out", LacksMemoryOnce(tmp_path / "mark")).run(
        LocalExecutor(workers=4)
    )
    assert result.report.books.kept == 800
    assert result.report.phases[0].retries == 0, "the worker halves the batch and goes on"
    changes = [each for each in result.report.phases[0].decisions if each.what == "cap"]
    assert changes
    assert changes[0].after > 0
    assert str(changes[0]) in result.report.phases[0].describe()
    assert str(changes[0]) in [record.message for record in caplog.records]
    batches = [re.match(r"worker (\d+): (\d+) documents", name).groups() for name in result.report.counts]
    whole = {worker for worker, size in batches if size == "20"}
    parts = {worker for worker, size in batches if size != "20"}
    assert len(parts) == 4, "each of them is given smaller ones from then on"
    of_whole = [n for name, n in result.report.counts.items() if name.endswith(": 20 documents")]
    assert len(whole) <= 4
    assert sum(of_whole) <= 16, "but for those that it had, or got before the first was done"
