"""One model of memory for all workers of a segment: what it learns, how fast, and what it never does."""

from __future__ import annotations

from random import Random
from timeit import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.scheduling.memory_model import WINDOW, MemoryModel
from gpucurate.spec.figures import MemorySample

GB = 10**9


def measured(nbytes: int, ratio: float, limit: int = 80 * GB) -> MemorySample:
    """A batch that went through."""
    return MemorySample(nbytes, int(nbytes * ratio), True, limit)


def failed(nbytes: int, limit: int = 80 * GB) -> MemorySample:
    """A batch that ran out of memory."""
    return MemorySample(nbytes, None, False, limit)


def test_without_a_limit_and_without_a_failure_there_is_no_cap() -> None:
    model = MemoryModel()
    assert model.cap() is None
    assert model.predict(GB) is None
    assert model.observe(MemorySample(GB, 3 * GB, True)) is None
    assert model.cap() is None
    assert model.predict(2 * GB) == 6 * GB


def test_what_is_unmeasured_is_probed_as_if_it_took_six_times_its_size() -> None:
    assert MemoryModel().cap(60 * GB) == 92 * GB // 10


def test_what_takes_more_than_that_is_believed_at_once() -> None:
    model = MemoryModel()
    model.observe(measured(GB, 10))
    assert model.cap(100 * GB) == 92 * GB // 10


def test_sixteen_batches_are_believed() -> None:
    model = MemoryModel()
    for _ in range(15):
        model.observe(measured(GB, 2))
    assert model.cap(80 * GB) == 80 * GB * 92 // 600
    change = model.observe(measured(GB, 2))
    assert model.cap(80 * GB) == 80 * GB * 92 // 200
    assert change is not None
    assert (change.before, change.after) == (80 * GB * 92 // 600, 80 * GB * 92 // 200)
    assert "2.00 times its size" in change.why
    assert "16 batches" in change.why


def test_a_failure_leads_to_a_lower_cap_though_no_limit_is_known() -> None:
    model = MemoryModel()
    change = model.observe(MemorySample(10 * GB, None, False))
    assert model.cap() == 8 * GB
    assert change is not None
    assert (change.before, change.after) == (None, 8 * GB)
    assert "a batch of 10.0 GB ran out of memory" in change.why
    assert "not known" in change.why


def test_a_failure_gives_the_same_cap_where_the_limit_is_known() -> None:
    model = MemoryModel()
    for _ in range(100):
        model.observe(measured(GB, 2))
    change = model.observe(failed(30 * GB))
    cap = model.cap()
    assert cap == pytest.approx(24 * GB, rel=1e-3)
    assert cap is not None
    assert cap <= 24 * GB
    assert change is not None
    assert change.after == cap
    assert "80.0 GB that a worker may hold" in change.why


def test_every_failure_below_the_cap_lowers_it() -> None:
    model = MemoryModel()
    model.observe(MemorySample(8 * GB, None, False))
    model.observe(MemorySample(4 * GB, None, False))
    change = model.observe(MemorySample(2 * GB, None, False))
    assert change is not None
    assert change.after == model.cap() == 16 * GB // 10


def test_a_failure_far_above_the_cap_changes_nothing() -> None:
    model = MemoryModel()
    model.observe(MemorySample(GB, None, False))
    assert model.observe(MemorySample(10 * GB, None, False)) is None


def test_what_the_user_allows_is_never_exceeded() -> None:
    model = MemoryModel(maximum=GB)
    assert model.cap() == GB
    assert model.cap(80 * GB) == GB
    model.observe(failed(GB))
    assert model.cap(80 * GB) == pytest.approx(GB * 0.8, rel=1e-3)


def test_the_smallest_limit_of_the_workers_counts() -> None:
    model = MemoryModel()
    for limit in (80 * GB, 16 * GB) * 10:
        model.observe(measured(GB, 2, limit))
    assert model.cap() == 16 * GB * 92 // 200


def test_a_single_byte_is_the_least() -> None:
    model = MemoryModel()
    model.observe(MemorySample(1, None, False))
    model.observe(MemorySample(0, 5, True, 10))
    assert model.cap() == 1


def test_batches_of_unknown_peak_let_a_failure_be_forgotten() -> None:
    model = MemoryModel()
    model.observe(MemorySample(GB, None, False))
    changes = [model.observe(MemorySample(GB // 2, None, True)) for _ in range(WINDOW)]
    assert model.cap() is None
    assert [change for change in changes if change] == [changes[-1]]
    assert changes[-1] is not None
    assert changes[-1].after is None
    assert "none of the last 256 failed" in changes[-1].why


@given(st.integers(0, 1000), st.floats(1, 20), st.floats(1, 20))
def test_it_recovers_within_256_good_samples_when_the_data_drift_back(
    seed: int, before: float, drifted: float
) -> None:
    rng, model = Random(seed), MemoryModel()
    for _ in range(300):
        model.observe(measured(rng.randrange(1, GB), drifted))
    for _ in range(5):
        model.observe(failed(rng.randrange(GB, 8 * GB)))
    for _ in range(WINDOW):
        model.observe(measured(rng.randrange(10**6, GB), before))
    assert model.cap(80 * GB) == pytest.approx(80 * GB * 0.92 / before, rel=1e-3)


SAMPLES = st.builds(
    MemorySample,
    st.integers(2, 10**12),
    st.none() | st.integers(0, 10**12),
    st.booleans(),
    st.sampled_from([0, 10**9, 10**11]),
)


@given(st.lists(SAMPLES, max_size=600), st.sampled_from([0, 10**9, 10**12]))
def test_the_cap_is_below_every_recent_size_that_failed(samples: list[MemorySample], limit: int) -> None:
    model = MemoryModel()
    for sample in samples:
        before = model.cap()
        change = model.observe(sample)
        if change is not None:
            assert change.after == model.cap()
        if not sample.fitted and model.cap() != before:
            assert change is not None
    cap = model.cap(limit)
    sizes = [sample.nbytes for sample in samples[-WINDOW:] if not sample.fitted]
    if sizes:
        assert cap is not None
        assert cap < min(sizes)
    if cap is None:
        assert limit == 0


@given(st.lists(SAMPLES, max_size=300))
def test_the_same_samples_give_the_same_model(samples: list[MemorySample]) -> None:
    one, other = MemoryModel(), MemoryModel()
    assert [one.observe(sample) for sample in samples] == [other.observe(sample) for sample in samples]
    assert one.predict(10**6) == other.predict(10**6)


def test_an_observation_takes_microseconds() -> None:
    rng, model = Random(1), MemoryModel()
    samples = [measured(GB, rng.uniform(2, 5)) for _ in range(2000)]
    seconds = timeit(lambda: [model.observe(sample) for sample in samples], number=1)
    assert seconds / len(samples) < 50e-6  # about 5 on a quiet machine
