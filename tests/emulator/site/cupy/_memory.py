"""Memory of the emulated device: counted, limited if somebody asks for it."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

TOTAL = int(os.environ.get("GPUCURATE_EMULATED_GPU_BYTES", str(8 * 10**9)))
"""What the device is said to have."""

_lock = threading.RLock()  # a finalizer may run while it is held
_held = {"now": 0, "peak": 0, "limit": TOTAL, "reserved": 0}


class OutOfMemoryError(MemoryError):
    """As ``cupy.cuda.memory.OutOfMemoryError``."""

    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        so_far = f"allocated so far: {total:,} bytes, limit set to: {limit:,} bytes"
        super().__init__(f"Out of memory allocating {size:,} bytes ({so_far}).")


class Pointer:
    """Address of an array."""

    def __init__(self, held: Any) -> None:
        self.ptr = held.ctypes.data


def take_of_device(nbytes: int) -> None:
    """Count an allocation.

    Raises:
        OutOfMemoryError: it does not fit.
    """
    with _lock:
        if _held["now"] + nbytes > _held["limit"]:
            raise OutOfMemoryError(nbytes, _held["now"], _held["limit"])
        _held["now"] += nbytes
        _held["peak"] = max(_held["peak"], _held["now"])
        _held["reserved"] = max(_held["reserved"], _held["now"])


def give_back(nbytes: int) -> None:
    """Count a release."""
    with _lock:
        _held["now"] -= nbytes


def trim() -> None:
    """What a pool keeps though nobody uses it goes back to the device."""
    with _lock:
        _held["reserved"] = _held["now"]


def plain_allocator(nbytes: int) -> Callable[[], None]:
    """Take bytes of the device; what gives them back."""
    take_of_device(nbytes)
    return lambda: give_back(nbytes)


allocator = [plain_allocator]
"""What arrays are allocated through (``cupy.cuda.set_allocator``)."""


def take(nbytes: int) -> Callable[[], None]:
    """Take bytes as CuPy would; what gives them back."""
    return allocator[0](nbytes)


def held() -> dict[str, int]:
    """Bytes now, at most so far, and the limit."""
    return dict(_held)


def set_limit(limit: int | None) -> None:
    """Allow so many bytes; what the device has if None."""
    with _lock:
        _held["limit"] = TOTAL if limit is None else limit
        _held["peak"] = _held["now"]


_page_locked: dict[int, Any] = {}
"""Page-locked memory by its address; it stays, so that a copy which comes too late does no harm here."""


def page_lock(room: Any) -> None:
    """Note memory as page-locked."""
    _page_locked[ctypes.addressof(ctypes.c_char.from_buffer(room))] = room


def is_page_locked(values: Any) -> bool:
    """Whether an array of the host lies in page-locked memory."""
    address = values.ctypes.data
    return any(0 <= address - first < len(room) for first, room in _page_locked.items())
