"""A budget holds, whatever is asked of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.memory.budget import Budget
from gpucurate.memory.out_of_memory import is_out_of_memory
from gpucurate.spec.errors import ConfigurationError, GpucurateError, OverBudgetError


def test_what_is_reserved_is_in_use_until_the_block_ends():
    budget = Budget(100)
    with budget.reserve(30) as outer, budget.reserve(50):
        assert outer.nbytes == 30
        assert (budget.in_use, budget.free, budget.peak) == (80, 20, 80)
    assert (budget.in_use, budget.free, budget.peak) == (0, 100, 80)


def test_an_error_in_the_block_releases_too():
    budget = Budget(100)
    with pytest.raises(KeyError), budget.reserve(30):
        raise KeyError
    assert budget.in_use == 0


def test_what_does_not_fit_is_refused_with_the_numbers():
    budget = Budget(2_000_000)
    with budget.reserve(1_500_000):
        with pytest.raises(OverBudgetError, match=r"600 kB \(600,000 bytes\).*500 kB are free.*2.00 MB"):
            budget.reserve(600_000)
        assert budget.try_reserve(600_000) is None
        assert budget.in_use == 1_500_000


def test_one_oversized_reservation_is_not_let_in_even_alone():
    with pytest.raises(OverBudgetError, match="raise the limit or take smaller batches") as refused:
        Budget(100).reserve(101)
    assert isinstance(refused.value, GpucurateError)
    assert is_out_of_memory(refused.value)


def test_releasing_twice_gives_back_once():
    budget = Budget(100)
    first, second = budget.reserve(40), budget.reserve(40)
    first.release()
    with first:
        first.release()
    assert budget.in_use == 40
    second.release()
    assert budget.in_use == 0


def test_memory_is_tight_above_the_soft_limit():
    budget = Budget(100, soft=0.85)
    with budget.reserve(85):
        assert not budget.is_tight
        with budget.reserve(1):
            assert budget.is_tight
    assert not budget.is_tight


@pytest.mark.parametrize(("limit", "soft"), [(0, 0.5), (-1, 0.5), (10, 0.0), (10, 1.5)])
def test_impossible_budgets_are_refused(limit, soft):
    with pytest.raises(ConfigurationError, match="not possible"):
        Budget(limit, soft)


def test_a_negative_reservation_is_refused():
    with pytest.raises(ConfigurationError, match="-1 bytes"):
        Budget(10).reserve(-1)


@given(st.integers(1, 1000), st.lists(st.tuples(st.integers(0, 1200), st.booleans()), max_size=60))
def test_in_use_is_what_is_held_and_never_above_the_limit(limit, asked):
    budget, held = Budget(limit), []
    for nbytes, release in asked:
        before = budget.in_use
        reservation = budget.try_reserve(nbytes)
        assert (reservation is None) == (nbytes > limit - before)
        if reservation is not None:
            held.append(reservation)
        if release and held:
            held.pop(0).release()
        assert budget.in_use == sum(each.nbytes for each in held) <= budget.peak <= limit
    for reservation in held:
        reservation.release()
    assert budget.in_use == 0


def test_threads_never_pass_the_limit_together_and_give_all_back():
    budget = Budget(1000)

    def work(seed):
        most = 0
        for turn in range(300):
            reservation = budget.try_reserve((seed * 31 + turn * 17) % 400)
            most = max(most, budget.in_use)
            if reservation is not None:
                reservation.release()
        return most

    with ThreadPoolExecutor(8) as threads:
        assert max(threads.map(work, range(8))) <= budget.peak <= 1000
    assert budget.in_use == 0
