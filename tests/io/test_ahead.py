"""Iterators that run ahead in a thread."""

import gc
import threading
import time
import weakref
from contextvars import ContextVar

import pytest

from gpucurate.io.ahead import ahead

place = ContextVar("place", default="nowhere")


def test_items_come_in_order():
    assert list(ahead(range(100), depth=3)) == list(range(100))
    assert list(ahead([])) == []


def test_an_error_comes_where_the_item_would_have():
    def failing():
        yield 1
        raise ValueError("broken")

    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_no_more_than_so_many_are_made_before_they_are_asked_for():
    made = []
    items = ahead((made.append(n) for n in range(10)), depth=2)
    next(items)
    time.sleep(0.2)
    assert len(made) == 4  # one taken, two that wait, one in the hand of the thread
    items.close()


def test_it_runs_in_a_thread_with_the_callers_context():
    place.set("here")

    def seen():
        yield place.get(), threading.current_thread().name

    assert next(ahead(seen())) == ("here", "ahead")


def test_closing_ends_the_thread_and_the_source():
    closed = []

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    items = ahead(endless())
    next(items)
    items.close()
    assert closed == ["ahead"]
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_what_was_taken_is_held_by_nobody_else():
    class Large:
        pass

    items = ahead(Large() for _ in range(3))
    taken = next(items)
    held = weakref.ref(taken)
    next(items)  # the thread has moved on
    del taken
    gc.collect()
    assert held() is None
    items.close()
