"""Rises that are sure, and those that only look like it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.scheduling.leak import LEAST, WARM_UP, LeakWatch
from gpucurate.scheduling.trend import trend_of

MB = 10**6
LIMIT = 256 * MB


def test_too_few_samples_have_no_trend() -> None:
    assert trend_of([1.0] * 15) is None


@given(st.integers(16, 80), st.integers(-1000, 1000), st.integers(-(10**6), 10**6))
def test_a_straight_line_is_found_exactly(count: int, slope: int, base: int) -> None:
    trend = trend_of([base + slope * i for i in range(count)])
    assert trend is not None
    assert trend.slope == trend.low == trend.high == slope
    assert not (slope > 0 and trend.fades)


@given(st.integers(0, 10**6))
def test_the_interval_holds_the_slope_and_is_wider_where_more_is_asked(seed: int) -> None:
    rng = Random(seed)
    samples = [5 * i + rng.gauss(0, 2) for i in range(64)]
    sure, surer = trend_of(samples, 0.95), trend_of(samples, 0.999)
    assert sure is not None and surer is not None
    assert surer.low < sure.low <= sure.slope <= sure.high < surer.high
    assert surer.low < 5 < surer.high


@given(st.lists(st.integers(0, 10**9), min_size=16, max_size=64), st.integers(-(10**9), 10**9))
def test_what_all_samples_have_in_common_does_not_matter(samples: list[int], shift: int) -> None:
    one, other = trend_of(samples), trend_of([each + shift for each in samples])
    assert one is not None and other is not None
    assert other.slope == pytest.approx(one.slope, abs=1e-3)
    assert other.rise == one.rise


def first_found(samples: list[float], limit: int = LIMIT) -> int | None:
    """The unit after which a leak is told."""
    watch = LeakWatch("memory")
    for at, held in enumerate(samples):
        watch.observe(round(held))
        if watch.found(limit, ()):
            return at
    return None


@given(st.integers(0, 10**6), st.integers(5, 200))
def test_a_leak_is_found_though_memory_jumps_about(seed: int, megabytes: int) -> None:
    rng = Random(seed)
    samples = [500 * MB + i * megabytes * MB + rng.uniform(0, 40 * MB) for i in range(200)]
    found = first_found(samples)
    assert found is not None
    assert found >= WARM_UP + LEAST - 1


def innocent(seed: int) -> list[float]:
    """What a worker holds that does not leak: noise, spikes, a drift without direction, caches that fill."""
    rng = Random(seed)
    kind = seed % 5
    level, samples = 500.0 * MB, []
    for unit in range(400):
        if kind == 0:  # noise, and a large document now and then
            held = level + rng.uniform(0, 100 * MB) + (rng.random() < 0.05) * rng.uniform(0, 3000 * MB)
        elif kind == 1:  # fragmentation: a walk without direction
            level = max(200.0 * MB, level + rng.gauss(0, 8 * MB))
            held = level
        elif kind == 2:  # a cache that fills up
            held = level + 2000 * MB * (1 - 0.96**unit) + rng.uniform(0, 20 * MB)
        elif kind == 3:  # words that were not met before become fewer
            held = level + 40 * MB * unit**0.5 + rng.uniform(0, 20 * MB)
        else:  # steps: a second model is loaded, a pool doubles
            level += 400 * MB * (rng.random() < 0.02)
            held = level + rng.uniform(0, 20 * MB)
        samples.append(held)
    return samples


def test_workers_that_do_not_leak_are_left_alone() -> None:
    seeds = range(500)
    wrong = [seed for seed in seeds if first_found(innocent(seed)) is not None]
    print(f"{len(wrong)} of {len(seeds)} workers of 400 units were taken for leaking: {wrong}")
    assert len(wrong) <= len(seeds) // 100


def grown(growths: list[list[int]], slope: int) -> str | None:
    watch = LeakWatch("memory")
    for at in range(100):
        watch.observe(500 * MB + at * slope, growths[at % len(growths)])
    return watch.found(LIMIT, ["reads", "leaks", "writes"])


def test_the_stage_is_named_during_whose_calls_the_process_grew_by_as_much() -> None:
    told = grown([[70 * MB, 9 * MB, 0], [58 * MB, 11 * MB, -MB]], 10 * MB)
    assert told is not None
    assert told.endswith("goes on: stage 'leaks', during whose calls 10.0 MB a unit were added")
    assert "grew by 10.0 MB a unit over its last 64 (99.9% confidence: 10.0 MB to 10.0 MB)" in told


def test_where_no_single_stage_grew_by_as_much_all_are_told() -> None:
    told = grown([[10 * MB, 10 * MB, 0]], 10 * MB)
    assert told is not None
    assert "no single stage accounts for it" in told
    assert "'reads' +10.0 MB, 'leaks' +10.0 MB, 'writes' +0.0 MB" in told


def test_memory_that_is_not_known_is_no_leak() -> None:
    assert first_found([0.0] * 200) is None
