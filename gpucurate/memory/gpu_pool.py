"""The one pool that a worker's cuDF, CuPy and kernels allocate from."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from gpucurate.memory.current_resource import make_current
from gpucurate.memory.driver_pool import DriverPool, Whose, device_memory
from gpucurate.memory.retries import Retries
from gpucurate.memory.rmm_stack import RmmStack, import_rmm
from gpucurate.memory.spilling import SpillRegistry
from gpucurate.memory.stage_memory import Counting, StageCounters, StageMemory
from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.errors import ConfigurationError, DeviceError, LeakError

SHARE = 0.9
"""Of the device's free memory, where no limit is given and torch is not beside it."""

ALIGNMENT = 256


class Limited(Counting, Protocol):
    """What hands memory out up to a limit, and counts it (:class:`RmmStack`)."""

    @property
    def limit(self) -> int:
        """Bytes that can be handed out at once."""
        ...

    @property
    def allocated_bytes(self) -> int:
        """Bytes handed out now."""
        ...

    @property
    def allocation_count(self) -> int:
        """Allocations handed out and not given back, since counters were pushed."""
        ...


class Backing(Protocol):
    """Where the memory comes from (:class:`DriverPool`)."""

    @property
    def reserved_bytes(self) -> int:
        """Bytes held of the device, in use or idle."""
        ...

    def trim(self) -> int:
        """Give back what is idle; the bytes given back."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class GpuPool:
    """Memory of one device under a limit that holds; :func:`open_gpu_pool` makes it.

    Args:
        stack: hands memory out and counts it.
        backing: where it comes from.
        spills: what may be asked for memory when an allocation fails.
        restore: puts back what was current before.
    """

    def __init__(
        self, stack: Limited, backing: Backing, spills: SpillRegistry, restore: Callable[[], None]
    ) -> None:
        self.spills = spills
        self._stack = stack
        self._backing = backing
        self._restore = restore
        self._counters = StageCounters(stack)
        self._open = True

    @property
    def limit(self) -> int:
        """Bytes that can be handed out at once."""
        return self._stack.limit

    @property
    def current_bytes(self) -> int:
        """Bytes handed out now."""
        return self._stack.allocated_bytes

    @property
    def peak_bytes(self) -> int:
        """The most bytes handed out at once so far."""
        return self._counters.peak_bytes

    @property
    def allocations(self) -> int:
        """Allocations that succeeded so far."""
        return self._counters.allocations

    @property
    def reserved_bytes(self) -> int:
        """Bytes held of the device: those handed out, and those that are idle."""
        return self._backing.reserved_bytes

    def counting(self, stage: str) -> AbstractContextManager[StageMemory]:
        """Count what the pool holds while a stage is running (:class:`StageCounters`)."""
        return self._counters.counting(stage)

    def trim(self) -> int:
        """Give idle memory back to the device; the bytes given back. Waits for the device."""
        return self._backing.trim()

    def close(self) -> None:
        """Put back the resource before it, and give all memory back; a second time does nothing.

        Raises:
            LeakError: bytes are still held; they stay valid, and the driver's pool stays with them.
        """
        if not self._open:
            return
        self._open = False
        self._restore()
        if self.current_bytes:
            gc.collect()  # arrays in cycles
        held = self.current_bytes
        self._counters.close()
        if held:
            raise LeakError(
                f"after the run the GPU memory pool still holds {format_bytes(held)} ({held:,} bytes) in "
                f"{self._stack.allocation_count:,} allocations: drop every array of the run before it ends"
            )
        self._backing.close()


def open_gpu_pool(
    limit: int | None,
    share: float = SHARE,
    initial: int | None = None,
    *,
    spills: SpillRegistry | None = None,
    driver_pool: Whose = "own",
) -> GpuPool:
    """Make the pool of this worker on the current device, and let RMM, CuPy and cuDF allocate from it.

    Call it once, before anything is allocated: what was allocated before is outside of the limit.

    Args:
        limit: bytes; None for a share of what is free on the device.
        share: of the free memory, above 0 and at most 1; where ``limit`` is None.
        initial: bytes that are taken from the device at once, so that the first batches need not.
        spills: asked for memory when an allocation fails; empty by default.
        driver_pool: a pool of its own, or the device's default one, which torch's backend
            ``cudaMallocAsync`` uses too (``share_with_torch("driver")``).

    Raises:
        ConfigurationError: the device has not so much memory, or no such share.
        DeviceError: no device, no driver, or the packages are missing.
    """
    held = limit_of(limit, share, *device_memory())
    if initial is not None and not 0 < initial <= held:
        raise ConfigurationError(
            f"a GPU pool of {format_bytes(held)} cannot begin with {format_bytes(initial)}: "
            "give more than nothing and at most its limit"
        )
    spills = SpillRegistry() if spills is None else spills
    import_rmm()  # before the driver is asked for anything that would have to be given back
    backing = DriverPool(driver_pool)
    try:
        base = _view_of(backing, initial)
        stack = RmmStack(base, held, Retries(_freed_by(spills, backing), lambda: stack.allocations))
        return GpuPool(stack, backing, spills, make_current(stack.top, backing.device))
    except DeviceError:
        backing.close()
        raise


def limit_of(limit: int | None, share: float, free: int, total: int) -> int:
    """The limit of a pool in bytes, a multiple of 256, on a device with so much memory free.

    Raises:
        ConfigurationError: more than is free, nothing, or no share.

    >>> limit_of(None, 0.5, 10_000, 20_000)
    4864
    """
    if limit is None:
        if not 0 < share <= 1:
            raise ConfigurationError(
                f"a GPU pool cannot take a share of {share:g}: give one above 0 and at most 1"
            )
        limit = int(free * share)
    if limit > free:
        raise ConfigurationError(
            f"a GPU pool of {format_bytes(limit)} ({limit:,} bytes) was asked for, but of the device's "
            f"{format_bytes(total)} only {format_bytes(free)} ({free:,} bytes) are free: give less "
            "(--gpu-memory), or end what else uses the GPU"
        )
    if limit < ALIGNMENT:
        raise ConfigurationError(
            f"a GPU pool of {limit} bytes is not possible: give at least {ALIGNMENT}, or free the device"
        )
    return limit // ALIGNMENT * ALIGNMENT


def _freed_by(spills: SpillRegistry, backing: Backing) -> Callable[[int], int]:
    """What an allocation that failed may ask for bytes: spills, and else what lies idle in the pool.

    Idle memory is in pieces, and some of it is idle only when its stream gets there: given back and taken
    anew it is whole (rapidsai/rmm issue 1245).
    """
    return lambda nbytes: spills.free(nbytes) or backing.trim()


def _view_of(backing: DriverPool, initial: int | None) -> Any:
    """RMM's resource over a pool of the driver, with ``initial`` bytes idle in it."""
    rmm = import_rmm()
    try:
        view = rmm.mr.CudaAsyncViewMemoryResource(backing.handle)
        if initial is not None:
            view.deallocate(view.allocate(initial), initial)
    except (RuntimeError, MemoryError) as error:  # RMM has no type of its own for either
        raise DeviceError(f"the driver's memory pool cannot be used: {error}") from error
    return view
