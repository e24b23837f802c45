"""RMM's adaptors over a resource: a limit, an answer to failures, statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpucurate.memory.stage_memory import Counters
from gpucurate.spec.errors import DeviceError


class RmmStack:
    """Statistics over failure callback over limit, over ``base``.

    Statistics are topmost, as RMM asks for; the object is held, so that an adaptor that somebody
    pushes above it later takes nothing away (RMM 26.10, ``rmm.statistics``).

    Args:
        base: an ``rmm.mr.DeviceMemoryResource``.
        limit: bytes that ``base`` hands out at most at once, each allocation rounded up to 256.
        on_failure: called with the bytes of an allocation that failed; whether to try again.

    Attributes:
        top: the resource to allocate from.
        limit: as given.

    Raises:
        DeviceError: RMM is not installed.
    """

    def __init__(self, base: Any, limit: int, on_failure: Callable[[int], bool]) -> None:
        rmm = import_rmm()
        self.limit = limit
        self._limiting = rmm.mr.LimitingResourceAdaptor(base, limit)
        answering = rmm.mr.FailureCallbackResourceAdaptor(self._limiting, on_failure)
        self.top = rmm.mr.StatisticsResourceAdaptor(answering)

    @property
    def allocated_bytes(self) -> int:
        """Bytes handed out now, each allocation rounded up to 256."""
        return int(self._limiting.get_allocated_bytes())

    @property
    def allocation_count(self) -> int:
        """Allocations handed out and not given back, since counters were pushed."""
        return int(self.top.allocation_counts.current_count)

    @property
    def allocations(self) -> int:
        """Allocations that succeeded since counters were pushed."""
        return int(self.top.allocation_counts.total_count)

    def push_counters(self) -> Counters:
        """Begin counters at zero; returns those before."""
        counters: Counters = self.top.push_counters()
        return counters

    def pop_counters(self) -> Counters:
        """End the counters begun last; returns them."""
        counters: Counters = self.top.pop_counters()
        return counters


def import_rmm() -> Any:
    """RMM.

    Raises:
        DeviceError: it is not installed.
    """
    try:
        import rmm
        import rmm.mr
    except ImportError as error:
        raise DeviceError(f"RMM cannot be imported ({error}): pip install 'gpucurate[cu13]'") from error
    return rmm
