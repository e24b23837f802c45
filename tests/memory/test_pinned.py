"""Buffers in turn, each free only after its event."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gpucurate.memory.pinned import PinnedRing
from gpucurate.spec.errors import ConfigurationError, DeviceError
from tests.device import missing_device


class Transfer:
    """What a stream of a device does: reads a buffer later, in a thread of its own."""

    def __init__(self, array, sink):
        self._thread = threading.Thread(target=lambda: sink.append(array.copy()))
        self._started = threading.Lock()

    def start(self):
        self._thread.start()
        return self

    def synchronize(self):
        self._thread.join()


class Late:
    """An event that comes only when somebody waits for it."""

    def __init__(self):
        self.waited = 0

    def synchronize(self):
        self.waited += 1


def test_buffers_go_out_in_turn():
    ring = PinnedRing(3, 8, pinned=False)
    seen = []
    for _ in range(6):
        with ring.take() as slot:
            seen.append(slot.array.ctypes.data)
    assert seen[:3] == seen[3:]
    assert len(set(seen)) == 3


def test_a_buffer_is_not_given_again_before_its_event_which_is_waited_for_once():
    ring, event = PinnedRing(1, 8, pinned=False), Late()
    with ring.take() as slot:
        slot.free_after(event)
    assert event.waited == 0
    with ring.take():
        assert event.waited == 1
    with ring.take():
        assert event.waited == 1


def test_buffers_in_use_are_waited_for():
    ring = PinnedRing(1, 8, pinned=False)
    slot = ring.take()
    with pytest.raises(TimeoutError, match="all 1 buffers of the ring are in use"):
        ring.take(timeout=0.01)
    timer = threading.Timer(0.05, slot.__exit__, (None, None, None))
    timer.start()
    with ring.take(timeout=5) as again:
        assert again.array is slot.array


def test_a_block_that_fails_gives_its_buffer_back():
    ring = PinnedRing(1, 8, pinned=False)
    with pytest.raises(KeyError), ring.take():
        raise KeyError
    ring.take(timeout=0)


def test_an_event_that_fails_does_not_lose_the_buffer():
    class Broken:
        def synchronize(self):
            raise RuntimeError("cudaErrorLaunchFailure")

    ring = PinnedRing(1, 8, pinned=False)
    with ring.take() as slot:
        slot.free_after(Broken())
    with pytest.raises(RuntimeError, match="LaunchFailure"):
        ring.take()
    ring.take(timeout=0)


def test_draining_waits_for_all_transfers():
    ring, events = PinnedRing(2, 8, pinned=False), [Late(), Late()]
    for event in events:
        with ring.take() as slot:
            slot.free_after(event)
    ring.drain()
    assert [event.waited for event in events] == [1, 1]


def test_no_transfer_sees_what_was_written_after_it_began():
    ring, sink = PinnedRing(3, 64, pinned=False), []

    def work(value):
        with ring.take() as slot:
            slot.array[:] = value
            slot.free_after(Transfer(slot.array, sink).start())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(200)))
    ring.drain()
    assert sorted(int(array[0]) for array in sink) == list(range(200))
    assert all((array == array[0]).all() for array in sink)


@pytest.mark.parametrize(("slots", "slot_bytes"), [(0, 8), (1, 0), (-1, 8)])
def test_impossible_rings_are_refused(slots, slot_bytes):
    with pytest.raises(ConfigurationError, match="not possible"):
        PinnedRing(slots, slot_bytes, pinned=False)


@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
def test_plain_memory_is_given_only_if_asked_for():
    with pytest.raises(DeviceError, match="page-locked"):
        PinnedRing(1, 8)
    with PinnedRing(1, 8, pinned=False).take() as slot:
        assert slot.array.dtype == np.uint8
