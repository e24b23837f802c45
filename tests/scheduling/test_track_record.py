"""What is learnt of a segment from its units."""

from __future__ import annotations

from random import Random
from timeit import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.scheduling.track_record import TrackRecord


def test_before_the_first_unit_the_given_figures_hold() -> None:
    record = TrackRecord(expansion=2500, setup_s=7)
    assert record.seconds_per_unit is None
    assert record.slow_seconds is None
    assert record.estimate(1000) == 2500
    assert (record.setup_s, record.trusted) == (7, False)


def test_five_units_are_trusted() -> None:
    record = TrackRecord()
    for _ in range(4):
        record.observe(100, 1, 100)
    assert not record.trusted
    record.observe(100, 1, 100)
    assert record.trusted


def test_slower_units_are_noticed_sooner_than_faster_ones() -> None:
    slower, faster = TrackRecord(), TrackRecord()
    slower.observe(1, 1, 1)
    slower.observe(1, 2, 1)
    faster.observe(1, 2, 1)
    faster.observe(1, 1, 1)
    assert slower.seconds_per_unit == pytest.approx(1.3)
    assert faster.seconds_per_unit == pytest.approx(1.9)


def test_a_unit_that_was_skipped_tells_nothing_of_the_speed() -> None:
    record = TrackRecord()
    record.observe(100, 10, 50)
    record.observe(100, 0.5, 0)
    assert (record.seconds_per_unit, record.samples) == (10, 1)


def test_a_slow_unit_that_gave_nothing_counts() -> None:
    record = TrackRecord()
    record.observe(100, 10, 50)
    record.observe(100, 5, 0)
    assert record.samples == 2


def test_a_segment_that_hands_nothing_on_is_measured_all_the_same() -> None:
    record = TrackRecord()
    for _ in range(60):
        record.observe(100, 10, 0)
    for _ in range(60):
        record.observe(100, 0.5, 0)
    assert record.samples == 120
    assert record.seconds_per_unit == pytest.approx(0.5, abs=0.05)


def test_the_first_output_replaces_what_was_assumed() -> None:
    record = TrackRecord(expansion=9000)
    record.observe(1000, 1, 500)
    assert record.expansion == 500


def test_output_is_estimated_high_and_falls_slowly() -> None:
    record = TrackRecord()
    for output in [100] * 20 + [1000]:
        record.observe(100, 1, output)
    assert record.expansion == 9000
    record.observe(100, 1, 100)
    assert 8500 < record.expansion < 9000
    for _ in range(400):
        record.observe(100, 1, 100)
    assert record.expansion == 1000


def test_an_empty_input_tells_nothing_of_the_expansion() -> None:
    record = TrackRecord(expansion=1500)
    record.observe(0, 1, 100)
    assert record.expansion == 1500


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**12)), min_size=1, max_size=200))
def test_the_estimate_is_an_integer_at_least_nine_tenths_of_the_last(units: list[tuple[int, int]]) -> None:
    record = TrackRecord()
    for nbytes, output in units:
        record.observe(nbytes, 1, output)
    assert isinstance(record.expansion, int)
    assert record.expansion >= output * 1000 // nbytes * 9 // 10


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=400))
def test_the_slow_seconds_are_among_the_largest_of_the_last_128(seconds: list[float]) -> None:
    record = TrackRecord()
    for each in seconds:
        record.observe(1, each, 1)
    last = sorted(seconds[-128:])
    assert record.slow_seconds in last[-3:]


def test_setup_is_averaged_from_the_first_that_was_measured() -> None:
    record = TrackRecord(setup_s=100)
    record.observe_setup(10)
    assert record.setup_s == 10
    record.observe_setup(20)
    assert record.setup_s == pytest.approx(13)


def test_a_unit_is_learnt_in_microseconds() -> None:
    rng, record = Random(1), TrackRecord()
    units = [rng.uniform(1, 5) for _ in range(5000)]
    seconds = timeit(lambda: [record.observe(1000, each, 900) for each in units], number=1)
    assert seconds / len(units) < 30e-6  # about 1 on a quiet machine
