"""Workers that have served their time."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.scheduling.policy import Policy
from gpucurate.scheduling.recycler import Recycler

GB = 10**9


def recycler(seed: int = 0, **limits: Any) -> Recycler:
    return Recycler(Policy(workers=None, budget_bytes=1, **limits), Random(seed))


def ends(ours: Recycler, workers: int) -> list[float | None]:
    """When each comes to its age, in turn."""
    found = []
    for _ in range(workers):
        at = ours.next_due()
        assert at is not None
        found.append(at)
        ours.gone(next(worker for worker in range(workers) if ours.due(worker, at)))
    assert ours.next_due() is None
    return found


def test_without_limits_a_worker_lives_for_ever() -> None:
    ours = recycler()
    ours.ready(1, 0, 0.0, memory=GB)
    for unit in range(1000):
        ours.done(1, memory=GB * (unit + 1))
    assert ours.due(1, 1e9) is None
    assert ours.next_due() is None


@given(st.integers(0, 10**6))
def test_an_old_worker_is_due_within_a_tenth_of_its_lifetime(seed: int) -> None:
    ours = recycler(seed, worker_max_lifetime_s=1000.0)
    ours.ready(1, 0, 50.0)
    assert ours.due(1, 50 + 899) is None
    at = ours.next_due()
    assert at is not None
    assert 50 + 900 <= at <= 50 + 1100
    assert ours.due(1, at - 0.01) is None
    why = ours.due(1, at)
    assert why is not None
    assert "its lifetime is" in why
    assert "(1000 s and its jitter)" in why


def test_workers_that_start_together_do_not_end_together() -> None:
    ours = recycler(worker_max_lifetime_s=1000.0)
    for worker in range(20):
        ours.ready(worker, 0, 0.0)
    assert len(set(ends(ours, 20))) == 20


def test_the_same_seed_gives_the_same_lifetimes() -> None:
    one, other = recycler(7, worker_max_lifetime_s=10.0), recycler(7, worker_max_lifetime_s=10.0)
    for worker in range(5):
        one.ready(worker, 0, 0.0)
        other.ready(worker, 0, 0.0)
    assert ends(one, 5) == ends(other, 5)


def test_a_worker_is_due_after_so_many_units() -> None:
    ours = recycler(worker_max_units=3)
    ours.ready(1, 0, 0.0)
    ours.done(1)
    ours.done(1)
    assert ours.due(1, 1.0) is None
    ours.done(1)
    assert ours.due(1, 1.0) == "it has done 3 units, the limit is 3"


def test_a_leak_is_found_when_it_has_grown_enough() -> None:
    ours = recycler(worker_max_growth=2 * GB)
    ours.ready(1, 0, 0.0, memory=GB)
    named = []
    for unit in range(40):
        ours.done(1, memory=GB + unit * GB // 10)
        named.append(ours.due(1, 1.0))
    assert named[:21] == [None] * 21
    assert named[21] == (
        "its memory grew by 2.10 GB since its setup (limit 2.00 GB), from 1.00 GB to 3.10 GB, "
        "and rose over its last 22 units"
    )


def test_a_leak_on_the_gpu_is_a_leak() -> None:
    ours = recycler(worker_max_growth=GB)
    ours.ready(1, 0, 0.0, memory=GB, gpu_memory=GB)
    for unit in range(30):
        ours.done(1, memory=GB, gpu_memory=GB + unit * GB // 10)
    why = ours.due(1, 1.0)
    assert why is not None
    assert why.startswith("its GPU memory grew")


def test_a_cache_that_has_filled_up_is_no_leak() -> None:
    ours = recycler(worker_max_growth=GB)
    ours.ready(1, 0, 0.0, memory=GB)
    for unit in range(200):
        ours.done(1, memory=GB + min(unit, 10) * GB // 4)
        if unit > 80:
            assert ours.due(1, 1.0) is None


def test_fewer_than_twenty_units_are_no_trend() -> None:
    ours = recycler(worker_max_growth=1)
    ours.ready(1, 0, 0.0, memory=GB)
    for unit in range(19):
        ours.done(1, memory=GB * (unit + 2))
    assert ours.due(1, 1.0) is None
    ours.done(1, memory=GB * 30)
    assert ours.due(1, 1.0) is not None


def test_where_the_memory_after_setup_is_unknown_the_first_unit_tells() -> None:
    ours = recycler(worker_max_growth=GB)
    ours.ready(1, 0, 0.0)
    for unit in range(30):
        ours.done(1, memory=5 * GB + unit)
    assert ours.due(1, 1.0) is None


def test_memory_that_nobody_knows_is_no_growth() -> None:
    ours = recycler(worker_max_growth=0)
    ours.ready(1, 0, 0.0)
    for _ in range(30):
        ours.done(1)
    assert ours.due(1, 1.0) is None


def test_one_worker_of_a_segment_at_a_time() -> None:
    ours = recycler(worker_max_units=1, worker_restart_interval_s=60.0)
    for worker, segment in ((1, 0), (2, 0), (3, 1)):
        ours.ready(worker, segment, 0.0)
        ours.done(worker)
    assert ours.due(1, 10.0)
    assert ours.due(2, 10.0)
    ours.recycled(1, 10.0)
    assert ours.due(1, 10.0) is None  # is being replaced
    assert ours.due(2, 69.0) is None
    assert ours.due(3, 69.0)
    assert ours.due(2, 70.0)


def test_the_next_age_waits_for_the_restart_interval() -> None:
    ours = recycler(worker_max_lifetime_s=10.0, worker_restart_interval_s=1000.0)
    ours.ready(1, 0, 0.0)
    ours.ready(2, 0, 0.0)
    ours.recycled(1, 11.0)
    assert ours.next_due() == pytest.approx(1011.0)


def test_a_worker_that_is_gone_is_not_due() -> None:
    ours = recycler(worker_max_units=0)
    ours.ready(1, 0, 0.0)
    assert ours.due(1, 0.0)
    ours.gone(1)
    assert ours.due(1, 0.0) is None
    ours.done(1)
    ours.gone(1)
    assert ours.due(1, 0.0) is None
