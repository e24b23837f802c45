"""The emulator behaves as CUDA does where our kernels rely on it, and says where they err."""

from pathlib import Path

import numpy as np
import pytest

from tests.emulator.emu import EmulatorError, RawModule

ORDERS = (0, 1, 7)


@pytest.fixture(scope="module")
def samples(emulator_cache):
    return RawModule(path=Path(__file__).with_name("samples.cu"), cache=emulator_cache)


@pytest.fixture(params=ORDERS)
def kernel(samples, request):
    """Looks a sample kernel up, to run in each order of threads."""

    def look_up(name):
        found = samples.get_function(name)
        found.order = request.param
        return found

    return look_up


def results_by_order(kernel, *inputs):
    """What the first element of the output is, in each order."""
    found = set()
    for kernel.order in ORDERS:
        out = np.zeros(64, np.int32)
        kernel((1,), (64,), (*inputs, out))
        found.add(out.tobytes())
    return found


def test_every_thread_of_every_block_runs_once(kernel):
    out = np.zeros(6 * 96, np.int32)
    kernel("count_visits")((2, 3), (96,), (out,))
    assert (out == 1).all()


def test_shuffles_move_values_between_lanes(kernel):
    out = np.zeros((64, 4), np.int32)
    kernel("shuffles")((1,), (64,), (out,))
    t = np.arange(64)
    lane, base = t % 32, t // 32 * 32
    up = np.where(lane >= 3, t - 3, t)
    down = np.where(lane % 8 + 3 < 8, t + 3, t)
    assert np.array_equal(out.T, [base + 5, up, down, base + (lane ^ 9)])


def test_votes_and_reductions_see_all_lanes_named(kernel):
    out = np.zeros((32, 5), np.uint32)
    kernel("votes_of_even_lanes")((1,), (32,), (out,))
    assert (out[0::2, :4] == [0x55, 1, 0, 240]).all()
    assert out[0::2, 4].tolist() == [0b101 << t // 4 * 4 for t in range(0, 32, 2)]
    assert not out[1::2].any()


def test_shared_memory_and_barriers_pass_values_through_the_block(kernel):
    out = np.zeros(256, np.int32)
    kernel("reverse_block")((2,), (128,), (out,))
    assert np.array_equal(out, np.tile(64000 + np.arange(128)[::-1], 2))


def test_a_missing_barrier_shows_as_a_result_that_depends_on_the_order(samples):
    assert len(results_by_order(samples.get_function("reverse_without_barrier"))) == len(ORDERS)


def test_what_happens_between_a_read_and_an_atomic_shows_in_shuffled_order(samples):
    kernel, found = samples.get_function("update_that_gets_lost"), {}
    for kernel.order in ORDERS:
        out = np.zeros(1, np.int32)
        kernel((1,), (64,), (out, np.zeros(1, np.int32)))
        found[kernel.order] = int(out[0])
    assert found[0] == found[1] == 64
    assert found[7] < 64


def test_reading_beside_an_array_shows_as_a_result_that_depends_on_the_order(samples):
    kernel = samples.get_function("read_beside")
    assert len(results_by_order(kernel, np.zeros(1, np.int32))) == len(ORDERS)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("divergent_barriers", "threads that never come"),
        ("foreign_mask", "does not name the thread itself"),
        ("different_functions", "wait in another warp function"),
        ("write_behind", "wrote beside the array of argument 0"),
        ("write_before", "wrote beside the array of argument 0"),
    ],
)
def test_what_would_hang_or_corrupt_a_device_is_an_error(kernel, name, complaint):
    with pytest.raises(EmulatorError, match=complaint):
        kernel(name)((1,), (32,), (np.zeros(64, np.int32),))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((np.zeros(1, np.int64), np.int32(1)), "argument 0 has another type"),
        ((np.zeros(1, np.int32), np.int64(1)), "argument 1 has another type"),
        ((np.int32(1), np.int32(1)), "argument 0 has another type"),
        ((np.zeros(1, np.int32),), "takes 2 arguments, 1 were given"),
    ],
)
def test_arguments_of_another_type_than_the_parameters_are_refused(samples, arguments, complaint):
    with pytest.raises(EmulatorError, match=complaint):
        samples.get_function("copy_scalar")((1,), (1,), arguments)


def test_a_source_that_does_not_compile_gives_the_compilers_words(tmp_path, emulator_cache):
    (tmp_path / "k.cu").write_text('extern "C" __global__ void k() { no_such_thing(); }\n')
    with pytest.raises(EmulatorError, match="error"):
        RawModule(path=tmp_path / "k.cu", cache=emulator_cache)
