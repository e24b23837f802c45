"""Allocators of host memory with a limit, as a device's would behave: what tests run the real code over."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gpucurate.memory.rmm_stack import RmmStack

ALIGNMENT = 256


def aligned(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


class Block:
    """Memory of an allocator, given back with the last reference to it."""

    def __init__(self, nbytes: int, give_back: Callable[[], None]) -> None:
        self.nbytes = nbytes
        self.give_back = weakref.finalize(self, give_back)


@dataclass
class Figures:
    current_bytes: int = 0
    peak_bytes: int = 0
    total_count: int = 0
    current_count: int = 0

    def take(self, nbytes: int) -> None:
        self.current_bytes += nbytes
        self.peak_bytes = max(self.peak_bytes, self.current_bytes)
        self.total_count += 1
        self.current_count += 1

    def give(self, nbytes: int) -> None:
        self.current_bytes -= nbytes
        self.current_count -= 1

    def add(self, inner: Figures) -> None:
        self.peak_bytes = max(self.peak_bytes, self.current_bytes + inner.peak_bytes)
        self.current_bytes += inner.current_bytes
        self.total_count += inner.total_count
        self.current_count += inner.current_count


class Hoard:
    """Arrays of NumPy by address; keeps those given back until it is trimmed, as a driver's pool does."""

    def __init__(self) -> None:
        self.used: dict[int, np.ndarray] = {}
        self.idle: list[np.ndarray] = []
        self.closed = False

    def allocate(self, nbytes: int, stream: object = None) -> int:
        same = next((place for place, each in enumerate(self.idle) if each.size == nbytes), None)
        array = np.empty(nbytes, np.uint8) if same is None else self.idle.pop(same)
        self.used[array.ctypes.data] = array
        return array.ctypes.data

    def deallocate(self, address: int, nbytes: int, stream: object = None) -> None:
        self.idle.append(self.used.pop(address))

    @property
    def reserved_bytes(self) -> int:
        return sum(each.size for each in [*self.used.values(), *self.idle])

    def trim(self) -> int:
        nbytes = sum(each.size for each in self.idle)
        self.idle.clear()
        return nbytes

    def close(self) -> None:
        self.trim()
        assert not self.used
        self.closed = True


class HostStack:
    """What RMM's adaptors do, over host memory and without RMM: a limit, retries and counters."""

    def __init__(self, limit: int, on_failure: Callable[[int], bool] = lambda nbytes: False) -> None:
        self.limit = limit
        self.hoard = Hoard()
        self._on_failure = on_failure
        self._figures = [Figures()]
        self._allocated = 0
        self._lock = threading.RLock()

    def take(self, nbytes: int) -> Block:
        while not self._fits(nbytes):
            if not self._on_failure(nbytes):
                raise MemoryError(f"std::bad_alloc: out_of_memory: Exceeded memory limit {self.limit}")
        with self._lock:
            address = self.hoard.allocate(nbytes)
            self._figures[-1].take(nbytes)
        return Block(nbytes, lambda: self._give(address, nbytes))

    @property
    def allocated_bytes(self) -> int:
        return self._allocated

    @property
    def allocation_count(self) -> int:
        return self._figures[-1].current_count

    @property
    def allocations(self) -> int:
        return self._figures[-1].total_count

    def push_counters(self) -> Figures:
        with self._lock:
            self._figures.append(Figures())
            return Figures(**vars(self._figures[-2]))

    def pop_counters(self) -> Figures:
        with self._lock:
            inner = self._figures.pop()
            self._figures[-1].add(inner)
            return inner

    def _fits(self, nbytes: int) -> bool:
        with self._lock:
            if self._allocated + aligned(nbytes) > self.limit:
                return False
            self._allocated += aligned(nbytes)
            return True

    def _give(self, address: int, nbytes: int) -> None:
        with self._lock:
            self.hoard.deallocate(address, nbytes)
            self._allocated -= aligned(nbytes)
            self._figures[-1].give(nbytes)


class RmmOverHost(RmmStack):
    """The real stack of RMM; only the bottom of it is host memory, so that no driver is needed."""

    def __init__(self, limit: int, on_failure: Callable[[int], bool] = lambda nbytes: False) -> None:
        import rmm

        self.hoard = Hoard()
        base = rmm.mr.CallbackMemoryResource(self.hoard.allocate, self.hoard.deallocate)
        super().__init__(base, limit, on_failure)

    def take(self, nbytes: int) -> Block:
        address, top = self.top.allocate(nbytes), self.top
        return Block(nbytes, lambda: top.deallocate(address, nbytes))
