"""``cupy.cuda`` of the emulated device: one device, and streams."""

from __future__ import annotations

import time
from typing import Any, Self

from cupy import _memory
from cupy._memory import OutOfMemoryError
from cupy._streams import Queue
from cupy.cuda import compiler, memory, runtime

__all__ = ["Device", "Event", "OutOfMemoryError", "Stream", "compiler", "is_available", "memory", "runtime"]


def is_available() -> bool:
    """Whether there is a device: yes, an emulated one."""
    return True


class Device:
    """The device of a number."""

    def __init__(self, number: int | None = None) -> None:
        self.id = runtime.getDevice() if number is None else number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def use(self) -> None:
        """Make it the current one."""
        runtime.setDevice(self.id)

    def synchronize(self) -> None:
        """Everything is done already."""

    @property
    def mem_info(self) -> tuple[int, int]:
        """Bytes free, and in all."""
        return runtime.memGetInfo()


class Event:
    """A point in a stream."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._before: tuple[Queue, int] | None = None
        self.recorded: float | None = None

    def record(self, stream: Any = None) -> None:
        """Note the point, and the host's time."""
        copies = (stream or get_current_stream()).copies
        self._before = copies, copies.position
        self.recorded = time.perf_counter()

    def synchronize(self) -> None:
        """Wait until the stream got there."""
        if self._before is not None:
            self._before[0].finish(self._before[1])


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Milliseconds of the host between two events, which say nothing about a device.

    Raises:
        CUDARuntimeError: one was not recorded.
    """
    if start_event.recorded is None or end_event.recorded is None:
        raise runtime.CUDARuntimeError("cudaErrorInvalidResourceHandle: invalid resource handle")
    return 1000 * (end_event.recorded - start_event.recorded)


class Stream:
    """Work in order, done at once; but copies of one that does not block when they are waited for."""

    null: Any = None

    def __init__(self, *_: Any, non_blocking: bool = False) -> None:
        self.ptr = 1 + id(self) % 1000
        self.is_eager = not non_blocking
        self.copies = Queue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def synchronize(self) -> None:
        """Wait for all that was begun."""
        self.copies.finish()

    def record(self, event: Any = None) -> Event:
        """A point in the stream."""
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Go on when it has passed."""
        event.synchronize()


Stream.null = Stream()


def get_current_stream() -> Stream:
    """The one there is."""
    return Stream.null


def alloc_pinned_memory(nbytes: int) -> Any:
    """Host memory that is said to be page-locked."""
    return memory.PinnedMemoryPointer(nbytes)


def set_limit(limit: int | None) -> None:
    """Not CuPy's: bytes that arrays may take, for tests."""
    _memory.set_limit(limit)


def get_allocator() -> Any:
    """What arrays are allocated through."""
    return _memory.allocator[0]


def set_allocator(allocator: Any = None) -> None:
    """Choose it."""
    _memory.allocator[0] = allocator or _memory.plain_allocator
