"""``rmm.mr`` 26.10, as far as the project uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cupy import _memory

ALIGNMENT = 256


class DeviceMemoryResource:
    """Hands out memory; addresses are of no use here."""

    def allocate(self, nbytes: int, stream: Any = None) -> int:
        """Take bytes."""
        raise NotImplementedError

    def deallocate(self, ptr: int, nbytes: int, stream: Any = None) -> None:
        """Give them back."""
        raise NotImplementedError


class CudaMemoryResource(DeviceMemoryResource):
    """Straight from the device."""

    def allocate(self, nbytes: int, stream: Any = None) -> int:
        try:
            _memory.take_of_device(nbytes)
        except MemoryError as error:
            raise MemoryError(f"std::bad_alloc: out_of_memory: {error}") from None
        return 0

    def deallocate(self, ptr: int, nbytes: int, stream: Any = None) -> None:
        _memory.give_back(nbytes)


class CudaAsyncViewMemoryResource(CudaMemoryResource):
    """Of a pool of the driver."""

    def __init__(self, pool_handle: Any) -> None:
        self.pool_handle = pool_handle


class CudaAsyncMemoryResource(CudaMemoryResource):
    """Of a pool of its own."""

    def __init__(self, initial_pool_size: Any = None, release_threshold: Any = None) -> None:
        pass


class UpstreamResourceAdaptor(DeviceMemoryResource):
    """Over another resource."""

    def __init__(self, upstream_mr: DeviceMemoryResource) -> None:
        self.upstream_mr = upstream_mr

    def get_upstream(self) -> DeviceMemoryResource:
        """The other one."""
        return self.upstream_mr

    def deallocate(self, ptr: int, nbytes: int, stream: Any = None) -> None:
        self.upstream_mr.deallocate(ptr, nbytes, stream)


class LimitingResourceAdaptor(UpstreamResourceAdaptor):
    """Refuses what goes beyond a limit."""

    def __init__(self, upstream_mr: DeviceMemoryResource, allocation_limit: int) -> None:
        super().__init__(upstream_mr)
        self._limit, self._allocated = allocation_limit, 0

    def get_allocated_bytes(self) -> int:
        """Handed out now."""
        return self._allocated

    def get_allocation_limit(self) -> int:
        """As given."""
        return self._limit

    def allocate(self, nbytes: int, stream: Any = None) -> int:
        padded = -(-nbytes // ALIGNMENT) * ALIGNMENT
        if self._allocated + padded > self._limit:
            raise MemoryError(
                f"std::bad_alloc: out_of_memory: Exceeded memory limit (tried to allocate {nbytes})"
            )
        address = self.upstream_mr.allocate(nbytes, stream)
        self._allocated += padded
        return address

    def deallocate(self, ptr: int, nbytes: int, stream: Any = None) -> None:
        super().deallocate(ptr, nbytes, stream)
        self._allocated -= -(-nbytes // ALIGNMENT) * ALIGNMENT


class FailureCallbackResourceAdaptor(UpstreamResourceAdaptor):
    """Asks somebody before it fails."""

    def __init__(self, upstream_mr: DeviceMemoryResource, callback: Callable[[int], bool]) -> None:
        super().__init__(upstream_mr)
        self._callback = callback

    def allocate(self, nbytes: int, stream: Any = None) -> int:
        while True:
            try:
                return self.upstream_mr.allocate(nbytes, stream)
            except MemoryError:
                if not self._callback(nbytes):
                    raise


@dataclass
class Statistics:
    """``rmm.statistics.Statistics``."""

    current_bytes: int = 0
    current_count: int = 0
    peak_bytes: int = 0
    peak_count: int = 0
    total_bytes: int = 0
    total_count: int = 0

    def add(self, nbytes: int, count: int) -> None:
        """An allocation, or with negative numbers a release."""
        self.current_bytes += nbytes
        self.current_count += count
        self.peak_bytes = max(self.peak_bytes, self.current_bytes)
        self.peak_count = max(self.peak_count, self.current_count)
        self.total_bytes += max(0, nbytes)
        self.total_count += max(0, count)

    def nested(self, inner: Statistics) -> None:
        """What counters pushed above these have seen."""
        self.peak_bytes = max(self.peak_bytes, self.current_bytes + inner.peak_bytes)
        self.peak_count = max(self.peak_count, self.current_count + inner.peak_count)
        self.current_bytes += inner.current_bytes
        self.current_count += inner.current_count
        self.total_bytes += inner.total_bytes
        self.total_count += inner.total_count


class StatisticsResourceAdaptor(UpstreamResourceAdaptor):
    """Counts, with a stack of counters."""

    def __init__(self, upstream_mr: DeviceMemoryResource) -> None:
        super().__init__(upstream_mr)
        self._counters = [Statistics()]

    @property
    def allocation_counts(self) -> Statistics:
        """A copy of the counters pushed last."""
        return replace(self._counters[-1])

    def push_counters(self) -> Statistics:
        """Begin at zero; a copy of those before."""
        self._counters.append(Statistics())
        return replace(self._counters[-2])

    def pop_counters(self) -> Statistics:
        """End the ones pushed last."""
        popped = self._counters.pop()
        self._counters[-1].nested(popped)
        return popped

    def allocate(self, nbytes: int, stream: Any = None) -> int:
        address = self.upstream_mr.allocate(nbytes, stream)
        self._counters[-1].add(nbytes, 1)
        return address

    def deallocate(self, ptr: int, nbytes: int, stream: Any = None) -> None:
        super().deallocate(ptr, nbytes, stream)
        self._counters[-1].add(-nbytes, -1)


_current: dict[int, DeviceMemoryResource] = {}


def get_per_device_resource(device: int) -> DeviceMemoryResource:
    """What a device's memory is taken from."""
    return _current.setdefault(device, CudaMemoryResource())


def set_per_device_resource(device: int, mr: DeviceMemoryResource) -> None:
    """Choose it."""
    _current[device] = mr


def get_current_device_resource() -> DeviceMemoryResource:
    """Of the current device."""
    from cupy.cuda import runtime

    return get_per_device_resource(runtime.getDevice())


def set_current_device_resource(mr: DeviceMemoryResource) -> None:
    """Choose it for the current device."""
    from cupy.cuda import runtime

    set_per_device_resource(runtime.getDevice(), mr)
