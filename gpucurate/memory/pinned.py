"""Page-locked host memory, handed out in turn: what transfers that overlap with work go through."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.errors import ConfigurationError, DeviceError


class Event(Protocol):
    """A point in a stream (``cupy.cuda.Event``)."""

    def synchronize(self) -> None:
        """Wait until the stream got there."""
        ...


class PinnedSlot:
    """A buffer of a ring, until the end of its ``with``.

    Attributes:
        array: uint8[slot_bytes], the memory.
    """

    def __init__(self, ring: PinnedRing, array: npt.NDArray[np.uint8]) -> None:
        self.array = array
        self._ring = ring
        self._event: Event | None = None

    def free_after(self, event: Event) -> None:
        """The transfer that reads or fills the buffer ends with ``event``: nobody writes before."""
        self._event = event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ring._take_back(self)

    def _wait(self) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.synchronize()


class PinnedRing:
    """Buffers of page-locked host memory, handed out in turn. Threads may share one.

    Args:
        slots: how many buffers.
        slot_bytes: bytes of each.
        pinned: False for plain memory, where there is no device.

    Raises:
        ConfigurationError: no slot, or none of a byte.
        DeviceError: CuPy is missing, or the memory cannot be page-locked.

    >>> with PinnedRing(2, 64, pinned=False).take() as slot:
    ...     slot.array.size
    64
    """

    def __init__(self, slots: int, slot_bytes: int, *, pinned: bool = True) -> None:
        if slots < 1 or slot_bytes < 1:
            raise ConfigurationError(
                f"a ring of {slots} buffers of {slot_bytes} bytes is not possible: give at least one of one"
            )
        allocate = _page_locked if pinned else _plain
        # The one that was given back first is taken first: its event is the oldest.
        self._idle = [PinnedSlot(self, allocate(slot_bytes)) for _ in range(slots)]
        self._slots = slots
        self._changed = threading.Condition()

    def take(self, timeout: float | None = None) -> PinnedSlot:
        """The next buffer, when its holder has given it back and its event has come.

        Args:
            timeout: seconds to wait for its holder; None for as long as it takes.

        Raises:
            TimeoutError: every buffer stayed in use.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._idle, timeout):
                raise TimeoutError(
                    f"all {self._slots} buffers of the ring are in use for {timeout} s: "
                    "end their with blocks, or make the ring larger"
                )
            slot = self._idle.pop(0)
        try:
            slot._wait()
        except BaseException:
            self._take_back(slot)
            raise
        return slot

    def drain(self) -> None:
        """Wait for the events of all buffers that were given back."""
        with self._changed:
            for slot in self._idle:
                slot._wait()

    def _take_back(self, slot: PinnedSlot) -> None:
        with self._changed:
            self._idle.append(slot)
            self._changed.notify()


def _page_locked(nbytes: int) -> npt.NDArray[np.uint8]:
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            f"page-locked memory needs CuPy ({error}): pip install 'gpucurate[cu13]'"
        ) from error
    try:
        memory: Any = cupy.cuda.alloc_pinned_memory(nbytes)
    except (RuntimeError, MemoryError) as error:
        raise DeviceError(f"{format_bytes(nbytes)} of host memory cannot be page-locked: {error}") from error
    return np.frombuffer(memory, np.uint8, nbytes)


def _plain(nbytes: int) -> npt.NDArray[np.uint8]:
    return np.empty(nbytes, np.uint8)
