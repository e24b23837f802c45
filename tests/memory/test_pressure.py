"""Above the soft limit: what is done, in which order, and when work goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.memory.pressure import LADDER, Fill, Pressure
from gpucurate.memory.relief import Relief
from gpucurate.memory.spilling import SpillRegistry
from gpucurate.spec.errors import ConfigurationError
from tests.memory.test_gpu_pool import Kept, pool_over


def steps(pressure, *fills):
    return [pressure.next_step(Fill(fill, fill)) for fill in fills]


def test_below_the_soft_limit_nothing_is_done():
    assert steps(Pressure(100), 0, 50, 85) == [None] * 3


def test_above_it_the_steps_are_taken_in_order_once():
    assert steps(Pressure(100), *[90] * 6) == [*LADDER, None, None]
    assert LADDER == ("stop_admission", "release_torch_cache", "trim", "spill")


def test_work_is_admitted_again_only_when_there_is_room():
    pressure = Pressure(100)
    steps(pressure, 90, 90)
    assert steps(pressure, 84, 71) == [None, None]
    assert not pressure.is_admitting
    assert steps(pressure, 70, 60) == ["resume_admission", None]
    assert pressure.is_admitting


def test_another_rise_takes_the_steps_again_with_admission_still_stopped():
    pressure = Pressure(100)
    steps(pressure, *[90] * 4)
    assert steps(pressure, 80, 90, 90, 90, 90) == [None, "release_torch_cache", "trim", "spill", None]
    assert steps(pressure, 10, 90) == ["resume_admission", "stop_admission"]


def test_as_much_is_spilled_as_makes_room():
    pressure = Pressure(1000)
    assert pressure.to_spill(Fill(900, 950)) == 200
    assert pressure.to_spill(Fill(500, 950)) == 0


def test_idle_bytes_count():
    assert Pressure(100).next_step(Fill(in_use=10, held=90)) == "stop_admission"


def test_gaps_that_trimming_left_do_not_stop_work_for_ever():
    pressure = Pressure(100)
    assert steps(pressure, 95, 95, 95) == ["stop_admission", "release_torch_cache", "trim"]
    fragmented = Fill(in_use=60, held=95)
    assert [pressure.next_step(fragmented) for _ in range(3)] == ["resume_admission", None, None]
    assert pressure.next_step(Fill(in_use=60, held=119)) is None  # idle, but less than the soft limit
    assert pressure.next_step(Fill(in_use=60, held=125)) == "stop_admission"


@given(st.lists(st.integers(0, 100), max_size=200))
def test_one_batch_may_always_be_at_work_and_steps_end(fills):
    pressure = Pressure(100)
    for fill in fills:
        taken = 0
        while pressure.next_step(Fill(fill, fill)) is not None:
            taken += 1
        assert taken <= len(LADDER)
        assert pressure.admits(0)
        if fill > 85:
            assert not pressure.admits(1)
        if fill <= 70:
            assert pressure.admits(1)


@pytest.mark.parametrize(("soft", "resume"), [(0.7, 0.7), (0.5, 0.8), (1.5, 0.5), (0.5, 0.0)])
def test_impossible_limits_are_refused(soft, resume):
    with pytest.raises(ConfigurationError, match="shares of the limit"):
        Pressure(100, soft, resume)


def relieved(stack_of, limit=10_240):
    spills = SpillRegistry()
    stack, pool = pool_over(stack_of, limit, spills)
    return stack, pool, spills, Relief(pool, Pressure(limit), spills.free)


def test_trimming_suffices_where_memory_is_idle(stack_of):
    stack, pool, spills, relief = relieved(stack_of)
    kept = Kept(stack.take(4096))
    spills.register(kept)
    stack.take(5120).give_back()
    assert relief.admits(3)
    assert relief.steps == {"stop_admission": 1, "release_torch_cache": 1, "trim": 1, "resume_admission": 1}
    assert (kept.nbytes, pool.reserved_bytes) == (4096, 4096)


def test_what_is_in_use_is_spilled_until_there_is_room(stack_of):
    stack, pool, spills, relief = relieved(stack_of)
    kept = [Kept(stack.take(1024)) for _ in range(9)]
    for each in kept:
        spills.register(each)
    assert relief.admits(3)
    assert [each.nbytes for each in kept] == [0, 0] + [1024] * 7
    assert pool.reserved_bytes == 7168
    assert relief.steps["spill"] == 1


def test_where_nothing_helps_admission_stays_stopped_but_for_one(stack_of):
    stack, _, _, relief = relieved(stack_of)
    block = stack.take(9216)
    assert not relief.admits(1)
    assert not relief.admits(1)
    assert relief.admits(0)
    assert relief.steps == dict.fromkeys(LADDER, 1)
    block.give_back()
