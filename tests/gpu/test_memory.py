"""The pool of a device: its limit, its figures, and that a run leaves nothing behind."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

from gpucurate.memory.driver_pool import device_memory
from gpucurate.memory.gpu_pool import open_gpu_pool
from gpucurate.memory.out_of_memory import is_out_of_memory
from gpucurate.memory.piece_size import PieceSize
from gpucurate.memory.pinned import PinnedRing
from gpucurate.memory.pressure import Pressure
from gpucurate.memory.relief import Relief
from gpucurate.memory.spilling import SpillRegistry
from gpucurate.memory.splitting import in_parts
from gpucurate.ops.cuda.trial import try_kernel
from gpucurate.spec.errors import ConfigurationError, LeakError

pytestmark = pytest.mark.gpu

MIB = 1 << 20
LIMIT = 256 * MIB


@pytest.fixture
def cupy():
    return pytest.importorskip("cupy")


@pytest.fixture
def pool(cupy):
    """A pool of 256 MiB, which must be empty when the test is over."""
    opened = open_gpu_pool(LIMIT)
    yield opened
    opened.close()


class Kept:
    """An array of the device that is made again without work."""

    remade = True

    def __init__(self, array):
        self.array = array

    @property
    def nbytes(self):
        return 0 if self.array is None else self.array.nbytes

    def spill(self):
        nbytes, self.array = self.nbytes, None
        return nbytes


def taken(cupy, mib):
    return cupy.zeros(mib * MIB, np.uint8)


def test_cupy_allocates_from_the_pool_and_its_limit_holds(pool, cupy):
    array = taken(cupy, 200)
    assert pool.current_bytes == 200 * MIB
    with pytest.raises(MemoryError) as refused:
        taken(cupy, 100)
    assert is_out_of_memory(refused.value)
    assert pool.peak_bytes == 200 * MIB
    del array
    assert pool.current_bytes == 0


def test_buffers_of_rmm_come_from_the_pool(pool):
    import rmm

    buffer = rmm.DeviceBuffer(size=MIB)
    assert pool.current_bytes == MIB
    del buffer


@pytest.mark.skipif(find_spec("cudf") is None, reason="cuDF is not installed")
def test_columns_of_cudf_come_from_the_pool_and_cupy_stays_in_it(pool, cupy):
    import cudf

    column = cudf.Series(range(1000))
    before = pool.current_bytes
    assert before >= 8000
    array = taken(cupy, 1)
    assert pool.current_bytes == before + MIB
    del column, array


def test_a_stage_is_told_its_peak(pool, cupy):
    with pool.counting("sort") as memory:
        left = taken(cupy, 10)
        taken(cupy, 50)
    assert (memory.before, memory.current, memory.peak) == (0, 10 * MIB, 60 * MIB)
    del left


def test_a_failed_allocation_spills_and_is_tried_again(pool, cupy):
    kept = Kept(taken(cupy, 200))
    pool.spills.register(kept)
    array = taken(cupy, 100)
    assert kept.nbytes == 0
    assert pool.current_bytes == 100 * MIB
    del array


def test_idle_memory_goes_back_to_the_device(pool, cupy):
    del_me = taken(cupy, 200)
    free_while_held = device_memory()[0]
    del del_me
    assert pool.reserved_bytes >= 200 * MIB
    assert pool.trim() >= 200 * MIB
    assert pool.reserved_bytes == 0
    assert device_memory()[0] >= free_while_held + 200 * MIB


def test_above_the_soft_limit_trimming_comes_before_spilling(pool, cupy):
    relief = Relief(pool, Pressure(LIMIT), pool.spills.free)
    kept = Kept(taken(cupy, 60))
    pool.spills.register(kept)
    taken(cupy, 190)  # idle now
    assert relief.admits(1)
    assert kept.nbytes == 60 * MIB
    more = [Kept(taken(cupy, 10)) for _ in range(18)]
    for each in more:
        pool.spills.register(each)
    relief.admits(1)
    assert kept.nbytes == 0
    assert relief.steps["spill"] == 1
    del kept, more


def test_a_batch_that_does_not_fit_is_done_in_parts(pool, cupy):
    def work(rows):
        return int(cupy.concatenate([taken(cupy, 1) + np.uint8(1) for _ in rows]).sum())

    def halve(rows):
        middle = len(rows) // 2
        return (rows[:middle], rows[middle:]) if middle else None

    learned = PieceSize()
    rows = range(400)
    total = in_parts(work, rows, halve, sum, size=len, release=pool.trim, learned=learned)
    assert total == 400 * MIB
    assert learned.limit <= 200
    assert pool.current_bytes == 0


def test_five_hundred_batches_leave_nothing_and_take_no_more(pool, cupy):
    reserved = []
    for batch in range(500):
        with pool.counting("batch") as memory:
            array = cupy.arange(100_000 + batch)[::-1].copy()
            array.sort()
            try_kernel()
            del array
        assert memory.current == 0
        reserved.append(pool.reserved_bytes)
    assert max(reserved[10:]) <= 2 * max(reserved[:10])
    assert pool.current_bytes == 0


def test_streams_of_several_threads_share_the_pool(pool, cupy):
    def work(seed):
        with cupy.cuda.Stream(non_blocking=True) as stream:
            for turn in range(50):
                array = cupy.full(MIB, seed, np.uint8)
                assert int(array.sum()) == seed * MIB, turn
                del array
            stream.synchronize()
        return seed

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(work, range(1, 5))) == [1, 2, 3, 4]
    assert pool.current_bytes == 0
    assert pool.peak_bytes <= LIMIT


def test_what_is_still_held_at_the_end_is_told_and_stays_valid(cupy):
    pool = open_gpu_pool(LIMIT)
    array = cupy.arange(1000)
    with pytest.raises(LeakError, match=r"8\.19 kB"):
        pool.close()
    assert int(array.sum()) == 499_500


def test_after_the_run_cupy_allocates_as_before(cupy):
    before = cupy.cuda.get_allocator()
    pool = open_gpu_pool(LIMIT, initial=16 * MIB)
    assert pool.reserved_bytes >= 16 * MIB
    assert (pool.current_bytes, pool.peak_bytes) == (0, 0)
    pool.close()
    assert cupy.cuda.get_allocator() == before
    assert int(cupy.arange(10).sum()) == 45


def test_more_than_the_device_has_is_refused():
    _, total = device_memory()
    with pytest.raises(ConfigurationError, match=f"{2 * total:,} bytes"):
        open_gpu_pool(2 * total)


def test_a_share_is_one_of_what_is_free():
    free, _ = device_memory()
    pool = open_gpu_pool(None, share=0.5)
    assert 0.45 * free < pool.limit <= 0.5 * free
    pool.close()


def test_the_default_pool_of_the_device_serves_as_well(cupy):
    pool = open_gpu_pool(LIMIT, driver_pool="default")
    array = taken(cupy, 10)
    assert pool.reserved_bytes >= 10 * MIB
    del array
    pool.close()


def test_a_pinned_ring_feeds_a_stream_while_it_is_filled(pool, cupy):
    ring, arrays = PinnedRing(2, MIB), []
    stream = cupy.cuda.Stream(non_blocking=True)
    for value in range(20):
        with ring.take() as slot, stream:
            slot.array[:] = value
            array = cupy.empty(MIB, np.uint8)
            array.set(slot.array, stream=stream)
            event = cupy.cuda.Event()
            event.record(stream)
            slot.free_after(event)
            arrays.append(array)
    ring.drain()
    assert [(int(array.min()), int(array.max())) for array in arrays] == [(n, n) for n in range(20)]
    del arrays, array


def in_a_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 5:
        pytest.skip("torch cannot use this GPU, or is not installed")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


TORCH = """
import sys
from gpucurate.memory.gpu_pool import open_gpu_pool
from gpucurate.memory.out_of_memory import is_out_of_memory
from gpucurate.memory.torch_pool import release_torch_cache, share_with_torch
from gpucurate.spec.errors import ConfigurationError, DeviceError

def share(*arguments):
    try:
        share_with_torch(*arguments)
    except DeviceError:
        sys.exit(5)

def refused(mib):
    try:
        torch.empty(mib << 20, dtype=torch.uint8, device="cuda")
    except Exception as error:
        return is_out_of_memory(error)
    return False
"""


def test_torch_beside_the_pool_keeps_to_its_own_budget():
    code = """
pool = open_gpu_pool(64 << 20)
share("separate", 512 << 20)
import torch
held = torch.ones(100 << 20, dtype=torch.uint8, device="cuda")
print(refused(600), pool.current_bytes)
del held
release_torch_cache()
print(torch.cuda.memory_reserved())
"""
    assert in_a_process(TORCH + code) == ["True", "0", "0"]


def test_torch_in_the_pool_counts_against_its_limit():
    code = """
pool = open_gpu_pool(64 << 20)
share("rmm")
import torch
held = torch.ones(10 << 20, dtype=torch.uint8, device="cuda")
print(pool.current_bytes, refused(100))
try:
    share("rmm")
except ConfigurationError as error:
    print("late" if "has used CUDA already" in str(error) else error)
"""
    assert in_a_process(TORCH + code) == [str(10 * MIB), "True", "late"]


def test_torch_in_the_drivers_pool_takes_from_the_same_bytes():
    code = """
pool = open_gpu_pool(64 << 20, driver_pool="default")
share("driver", 512 << 20)
import torch
before = pool.reserved_bytes
held = torch.ones(100 << 20, dtype=torch.uint8, device="cuda")
print(torch.cuda.get_allocator_backend(), pool.reserved_bytes - before >= 100 << 20, refused(600))
"""
    assert in_a_process(TORCH + code) == ["cudaMallocAsync", "True", "True"]


def test_spills_may_be_given_from_outside(cupy):
    spills = SpillRegistry()
    pool = open_gpu_pool(LIMIT, spills=spills)
    assert pool.spills is spills
    pool.close()
