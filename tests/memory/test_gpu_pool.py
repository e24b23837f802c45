"""The pool over host memory: once over a stand-in for RMM's adaptors, once over RMM's own."""

import gc
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.memory.gpu_pool import GpuPool, limit_of, open_gpu_pool
from gpucurate.memory.out_of_memory import is_out_of_memory
from gpucurate.memory.retries import MOST, Retries
from gpucurate.memory.spilling import SpillRegistry
from gpucurate.spec.errors import ConfigurationError, DeviceError, LeakError
from tests.device import missing_device


class Kept:
    """A result kept on the device; spilling drops it."""

    def __init__(self, block, remade=True):
        self.remade = remade
        self.block = block

    @property
    def nbytes(self):
        return self.block.nbytes if self.block else 0

    def spill(self):
        nbytes, self.block = self.nbytes, None
        return nbytes


def pool_over(stack_of, limit, spills=None, restored=None):
    spills = spills or SpillRegistry()
    retries = Retries(spills.free, lambda: stack.allocations)
    stack = stack_of(limit, retries)
    restore = (lambda: None) if restored is None else (lambda: restored.append(True))
    return stack, GpuPool(stack, stack.hoard, spills, restore)


def test_the_limit_holds_and_what_is_above_it_is_out_of_memory(stack_of):
    stack, pool = pool_over(stack_of, 1 << 20)
    block = stack.take(1000)
    with pytest.raises(MemoryError) as refused:
        stack.take(1 << 20)
    assert is_out_of_memory(refused.value)
    assert (pool.limit, pool.current_bytes, pool.peak_bytes, pool.allocations) == (1 << 20, 1024, 1000, 1)
    block.give_back()
    pool.close()


def test_an_allocation_that_fails_is_tried_again_when_something_was_spilled(stack_of):
    spills = SpillRegistry()
    stack, pool = pool_over(stack_of, 4096, spills)
    kept = Kept(stack.take(3072))
    spills.register(kept)
    block = stack.take(2048)
    assert kept.nbytes == 0
    assert (pool.current_bytes, pool.allocations) == (2048, 2)
    block.give_back()
    pool.close()


def test_nothing_to_spill_ends_at_once(stack_of):
    stack, pool = pool_over(stack_of, 4096)
    with pytest.raises(MemoryError):
        stack.take(5000)
    pool.close()


def test_a_spill_that_frees_too_little_again_and_again_ends(stack_of):
    asked = []

    def free(nbytes):
        asked.append(nbytes)
        return 1

    stack = stack_of(4096, Retries(free, lambda: stack.allocations))
    with pytest.raises(MemoryError):
        stack.take(5000)
    assert asked == [5000] * MOST


def test_a_spill_that_needs_memory_itself_does_not_spill_in_turn(stack_of):
    depth = []

    def free(nbytes):
        depth.append(nbytes)
        with pytest.raises(MemoryError):
            stack.take(9000)
        return 0

    stack = stack_of(4096, Retries(free, lambda: stack.allocations))
    with pytest.raises(MemoryError):
        stack.take(5000)
    assert depth == [5000]


def test_tries_begin_anew_after_an_allocation_that_succeeded():
    done = [0]
    retries = Retries(lambda nbytes: nbytes, lambda: done[0])
    assert [retries(100) for _ in range(MOST + 1)] == [True] * MOST + [False]
    done[0] += 1
    assert retries(100)
    assert retries(200)


def test_threads_try_on_their_own_account():
    retries = Retries(lambda nbytes: nbytes, lambda: 0)
    while retries(100):
        pass
    answers = []
    thread = threading.Thread(target=lambda: answers.append(retries(100)))
    thread.start()
    thread.join()
    assert answers == [True]


def test_a_stage_is_told_its_peak_and_what_it_left_behind(stack_of):
    stack, pool = pool_over(stack_of, 1 << 20)
    before = stack.take(1000)
    with pool.counting("tokens") as memory:
        left = stack.take(3000)
        stack.take(5000).give_back()
    assert (memory.stage, memory.before, memory.peak, memory.current) == ("tokens", 1000, 9000, 4000)
    assert memory.allocations == 2
    before.give_back()
    left.give_back()
    assert pool.peak_bytes == 9000
    pool.close()


def test_stages_that_overlap_in_any_order_each_have_their_peak(stack_of):
    stack, pool = pool_over(stack_of, 1 << 20)
    first, second = pool.counting("first"), pool.counting("second")
    one = first.__enter__()
    stack.take(7000).give_back()
    two = second.__enter__()
    shared = stack.take(2000)
    first.__exit__(None, None, None)  # the first to begin ends first: no stack of stages
    shared.give_back()
    late = stack.take(4000)
    second.__exit__(None, None, None)
    assert (one.peak, one.current) == (7000, 2000)
    assert (two.before, two.peak, two.current) == (0, 4000, 4000)
    late.give_back()
    pool.close()


@given(
    st.lists(st.one_of(st.integers(1, 3000), st.sampled_from(["free", "begin", "end", "look"])), max_size=40)
)
def test_figures_are_those_of_a_plain_count(steps):
    from tests.memory.host_memory import HostStack

    stack, pool = pool_over(HostStack, 1 << 30)
    blocks, running, current, peak = [], [], 0, 0
    for step in steps:
        if step == "free" and blocks:
            current -= blocks[0].nbytes
            blocks.pop(0).give_back()
        elif step == "begin":
            context = pool.counting("stage")
            running.append([context, context.__enter__(), current, current])
        elif step == "end" and running:
            context, memory, before, most = running.pop(0)
            context.__exit__(None, None, None)
            assert (memory.before, memory.peak, memory.current) == (before, most, current)
        elif step == "look":
            assert pool.peak_bytes == peak
        elif isinstance(step, int):
            blocks.append(stack.take(step))
            current += step
            peak = max(peak, current)
        for each in running:
            each[3] = max(each[3], current)
    assert (pool.peak_bytes, pool.allocations) == (peak, sum(isinstance(step, int) for step in steps))


def test_idle_memory_goes_back_by_trimming(stack_of):
    stack, pool = pool_over(stack_of, 1 << 20)
    kept, gone = stack.take(1024), stack.take(2048)
    gone.give_back()
    assert (pool.current_bytes, pool.reserved_bytes) == (1024, 3072)
    assert pool.trim() == 2048
    assert (pool.current_bytes, pool.reserved_bytes) == (1024, 1024)
    kept.give_back()
    pool.close()


def test_a_pool_that_closes_empty_puts_back_what_was_before_once(stack_of):
    restored = []
    stack, pool = pool_over(stack_of, 1 << 20, restored=restored)
    stack.take(1024).give_back()
    pool.close()
    pool.close()
    assert restored == [True]
    assert stack.hoard.closed
    assert (pool.current_bytes, pool.peak_bytes, pool.allocations) == (0, 1024, 1)


def test_garbage_in_cycles_is_no_leak(stack_of):
    stack, pool = pool_over(stack_of, 1 << 20)
    gc.disable()
    try:
        cycle = [stack.take(1024)]
        cycle.append(cycle)
        del cycle
        assert pool.current_bytes == 1024
        pool.close()
    finally:
        gc.enable()
    assert stack.hoard.closed


def test_a_leak_is_told_with_its_bytes_and_leaves_the_memory_valid(stack_of):
    restored = []
    stack, pool = pool_over(stack_of, 1 << 20, restored=restored)
    with pool.counting("stage"):
        block = stack.take(1000)
    with pytest.raises(LeakError, match=r"still holds 1.02 kB \(1,024 bytes\) in 1 allocations"):
        pool.close()
    assert restored == [True]
    assert not stack.hoard.closed
    block.give_back()
    assert stack.allocated_bytes == 0


def test_five_hundred_batches_leave_nothing(stack_of):
    stack, pool = pool_over(stack_of, 1 << 20)
    for batch in range(500):
        with pool.counting("batch") as memory:
            blocks = [stack.take(100 + batch), stack.take(7)]
            blocks.clear()
        assert memory.current == memory.before == 0
    assert pool.current_bytes == 0
    pool.close()


def test_the_limit_is_a_share_of_what_is_free_or_what_was_asked_for():
    assert limit_of(None, 0.9, 70 << 30, 80 << 30) == int(0.9 * (70 << 30)) // 256 * 256
    assert limit_of(16_000_000_000, 0.9, 70 << 30, 80 << 30) == 16_000_000_000
    assert limit_of(1_000_001, 0.9, 70 << 30, 80 << 30) == 999_936


def test_more_than_the_device_has_is_refused_with_the_numbers():
    with pytest.raises(
        ConfigurationError, match=r"100 GB .*of the device's 80.0 GB only 70.0 GB .*--gpu-memory"
    ):
        limit_of(100 * 10**9, 0.9, 70 * 10**9, 80 * 10**9)
    with pytest.raises(ConfigurationError, match=r"share of 1\.5"):
        limit_of(None, 1.5, 1000, 1000)
    with pytest.raises(ConfigurationError, match="at least 256"):
        limit_of(None, 0.9, 0, 1000)


@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
def test_without_a_device_opening_fails_in_a_sentence():
    with pytest.raises(DeviceError, match=r"cannot be imported|cudaMemGetInfo failed") as refused:
        open_gpu_pool(None)
    assert "\n" not in str(refused.value)
