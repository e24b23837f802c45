"""Buffers that go back to their ring by themselves."""

import numpy as np
import pytest

from gpucurate.memory.pinned import PinnedRing
from gpucurate.memory.pinned_room import PinnedRoom


class Passed:
    """An event that notes when somebody waits for it."""

    def __init__(self):
        self.waited = False

    def synchronize(self):
        self.waited = True


@pytest.fixture
def room():
    return PinnedRoom(PinnedRing(1, 64, pinned=False), 64)


def place(array):
    return array.__array_interface__["data"][0]


def test_a_buffer_is_of_the_ring_until_its_last_view_is_gone(room):
    first = room(10)
    assert first.dtype == np.uint8
    assert first.size == 10
    where, part = place(first), first[2:5]
    del first
    assert place(room(10)) != where  # the view holds on to it
    del part
    assert place(room(64)) == where


def test_what_is_too_large_or_too_many_is_plain_memory(room):
    held = room(64)
    assert room(64).size == 64
    assert room(65).size == 65
    assert place(held)


def test_it_is_taken_again_only_after_the_copy_out_of_it(room):
    event = Passed()
    array = room(64)
    room.free_after(array[3:], event)
    del array
    assert not event.waited
    room(64)
    assert event.waited


def test_of_other_memory_nothing_is_noted(room):
    event = Passed()
    room.free_after(np.zeros(4, np.uint8), event)
    room(64)
    assert not event.waited


def test_page_locked_memory_of_the_device_is_written_and_read(cuda):
    room = PinnedRoom(PinnedRing(2, 1000), 1000)
    buffer = room(1000)
    buffer[:] = 7
    assert int(cuda.asarray(buffer).sum()) == 7000
