"""A batch that runs out of memory is done in parts, and the next one is cut before."""

import gc
import weakref
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.memory.piece_size import PATIENCE, PieceSize
from gpucurate.memory.splitting import in_parts
from gpucurate.spec.errors import OverBudgetError
from tests.memory.host_memory import HostStack


def halve(rows):
    middle = len(rows) // 2
    return (rows[:middle], rows[middle:]) if middle else None


def flat(results):
    return list(chain.from_iterable(results))


def doubled_in(stack, rows, tried=None):
    """Doubles each number; a number n takes n bytes while it is at work."""
    if tried is not None:
        tried.append(list(rows))
    blocks = [stack.take(number) for number in rows]
    return [2 * block.nbytes for block in blocks]


def parts_over(stack, rows, learned=None, tried=None, released=None, least=1):
    return in_parts(
        lambda part: doubled_in(stack, part, tried),
        rows,
        halve,
        flat,
        size=sum,
        release=lambda: released.append(True) if released is not None else None,
        learned=learned or PieceSize(),
        least=least,
    )


def test_a_batch_that_fits_is_done_whole_and_not_joined(stack_of):
    tried, released = [], []
    assert parts_over(stack_of(10_240), [256] * 8, tried=tried, released=released) == [512] * 8
    assert (len(tried), released) == (1, [])


def test_a_batch_that_does_not_fit_is_done_in_halves_in_order(stack_of):
    tried, released, stack = [], [], stack_of(1024)
    rows = [256 * (1 + number % 3) for number in range(8)]
    assert parts_over(stack, rows, tried=tried, released=released) == [2 * row for row in rows]
    assert len(released) == sum(sum(part) > 1024 for part in tried) > 1
    gc.collect()
    assert stack.allocated_bytes == 0


def test_the_next_batch_is_cut_before_it_fails(stack_of):
    stack, learned, released, tried = stack_of(1024), PieceSize(), [], []
    parts_over(stack, [256] * 8, learned)
    assert learned.limit == 1024
    parts_over(stack, [256] * 8, learned, tried, released)
    assert released == []
    assert [len(part) for part in tried] == [4, 4]


def test_a_row_that_does_not_fit_is_named_with_its_size(stack_of):
    with pytest.raises(OverBudgetError, match=r"size 4,096.*cannot be split.*out_of_memory.*--gpu-memory"):
        parts_over(stack_of(1024), [256, 4096, 256])


def test_a_batch_of_the_least_size_is_not_halved(stack_of):
    tried = []
    with pytest.raises(OverBudgetError, match="size 1,536"):
        parts_over(stack_of(1024), [256] * 12, tried=tried, least=1600)
    assert [len(part) for part in tried] == [12, 6]


def test_a_row_too_large_teaches_nothing_about_others(stack_of):
    learned = PieceSize()
    with pytest.raises(OverBudgetError):
        parts_over(stack_of(1024), [4096], learned)
    assert learned.limit is None


def test_any_other_error_comes_through_at_once(stack_of):
    def work(rows):
        raise RuntimeError("cudaErrorIllegalAddress: while out of memory")

    with pytest.raises(RuntimeError, match="IllegalAddress"):
        in_parts(work, [1, 2], halve, sum, size=len, release=lambda: None, learned=PieceSize())
    with pytest.raises(ValueError, match="bad row"):
        in_parts(
            lambda rows: (_ for _ in ()).throw(ValueError("bad row")),
            [1, 2], halve, sum, size=len, release=lambda: None, learned=PieceSize(),
        )  # fmt: skip


def test_what_a_failed_attempt_held_is_gone_before_caches_are_released():
    alive, at_release = [], []

    def work(rows):
        local = np.zeros(10)
        alive.append(weakref.ref(local))
        local_in_cycle = [np.zeros(10)]
        alive.append(weakref.ref(local_in_cycle[0]))
        local_in_cycle.append(local_in_cycle)
        if len(rows) > 2:
            raise MemoryError
        return rows

    def release():
        at_release.append(sum(each() is not None for each in alive))

    joined = in_parts(work, [1, 2, 3, 4], halve, flat, size=len, release=release, learned=PieceSize())
    assert joined == [1, 2, 3, 4]
    assert at_release == [0]


def test_a_half_that_is_done_is_not_kept_while_the_next_is_at_work():
    class Rows(list):
        pass

    alive, most = [], []

    def cut(rows):
        middle = len(rows) // 2
        halves = Rows(rows[:middle]), Rows(rows[middle:])
        alive.extend(map(weakref.ref, halves))
        return halves if middle else None

    def work(rows):
        if len(rows) > 1:
            raise MemoryError
        most.append(sum(each() is not None for each in alive))
        return list(rows)

    in_parts(work, Rows(range(4)), cut, flat, size=len, release=lambda: None, learned=PieceSize())
    assert most == [3, 2, 2, 1]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=60), st.integers(4, 40))
def test_parts_give_what_the_whole_would(rows, room):
    sizes = [256 * row for row in rows]
    assert parts_over(HostStack(256 * room), sizes) == [2 * size for size in sizes]


def test_before_a_failure_everything_is_tried_whole():
    size = PieceSize()
    size.observe_success(10**12)
    assert size.limit is None
    assert size.admits(10**15)


def test_small_pieces_do_not_raise_the_limit():
    size = PieceSize()
    size.observe_failure(1000)
    for _ in range(10 * PATIENCE):
        size.observe_success(250)
    assert size.limit == 500


def test_enough_pieces_near_the_limit_raise_it_slowly():
    size = PieceSize()
    size.observe_failure(1600)
    for _ in range(PATIENCE - 1):
        size.observe_success(700)
    assert size.limit == 800
    size.observe_success(700)
    assert size.limit == 900


def test_a_limit_that_grew_too_far_grows_half_as_fast_afterwards():
    size = PieceSize()
    for failures in range(1, 4):
        size.observe_failure(1600)
        for _ in range(PATIENCE * 2 ** (failures - 1)):
            assert size.limit == 800
            size.observe_success(800)
        assert size.limit == 900


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10**6)), max_size=300), st.integers(1, 10**6))
def test_the_limit_is_positive_below_each_failure_and_grows_by_an_eighth_at_most(events, capacity):
    size = PieceSize()
    for use_limit, amount in events:
        tried = size.limit if use_limit and size.limit else amount
        before = size.limit
        if tried > capacity:
            size.observe_failure(tried)
            assert 1 <= size.limit <= max(1, tried // 2)
            assert before is None or size.limit <= before
        else:
            size.observe_success(tried)
            assert size.limit == before or before < size.limit <= before + max(1, before // 8)
