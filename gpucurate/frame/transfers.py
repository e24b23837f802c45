"""Bytes that cross between host and device, counted for the stage that moved them.

Every array that goes up or comes down passes through :func:`upload` and :func:`download`, and what a library
moves is told to :func:`note_upload` or :func:`note_download`: what they do not count did not move. Only
single numbers that steer a kernel, such as the length of its output, are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.spec.errors import DeviceError
from gpucurate.spec.statistics import StagePerfStats

_ledger: ContextVar[StagePerfStats | None] = ContextVar("ledger", default=None)


def array_module() -> Any:
    """CuPy, whose arrays those of a device are.

    Raises:
        DeviceError: it is not installed.
    """
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            "operations on a CUDA device need CuPy, which is not installed: pip install 'gpucurate[cu13]'"
        ) from error
    return cupy


def is_on_device(array: Any) -> bool:
    """Whether an array lies on a CUDA device."""
    return hasattr(array, "__cuda_array_interface__")


class counted_for:  # noqa: N801  a block is counted for a stage; a generator would take four times as long
    """Count what is moved inside the block for a stage; of nested ones the innermost counts.

    Args:
        stats: of the stage.
    """

    __slots__ = ("_stats", "_token")

    def __init__(self, stats: StagePerfStats) -> None:
        self._stats = stats

    def __enter__(self) -> None:
        self._token = _ledger.set(self._stats)

    def __exit__(self, *error: object) -> None:
        _ledger.reset(self._token)


def upload(array: npt.NDArray[Any]) -> Any:
    """A copy on the current device, ordered on its current stream.

    Raises:
        DeviceError: CuPy is not installed.
    """
    note_upload(array.nbytes)
    return array_module().asarray(array)


def note_upload(nbytes: int) -> None:
    """Count bytes that a library sent to the device, such as those of a file."""
    if (stats := _ledger.get()) is not None:
        stats.host_to_device_bytes += nbytes


class Upload:
    """A copy to the device that is under way beside the current stream's work; made by :func:`begin_upload`.

    The memory is of the current stream, which waits for the copy before it is used: so it is safe to use
    and to free there, as any other.
    """

    def __init__(self, array: npt.NDArray[Any], free_after: Callable[[Any], None] | None) -> None:
        xp = array_module()
        self._array = xp.empty(array.shape, array.dtype)
        stream = _copy_stream(xp)
        stream.wait_event(xp.cuda.get_current_stream().record())
        self._array.set(array, stream=stream)
        self._copied = stream.record()
        if free_after is not None:
            free_after(self._copied)

    def array(self) -> Any:
        """The copy, for work on the current stream that is begun from now on."""
        array_module().cuda.get_current_stream().wait_event(self._copied)
        return self._array

    def cancel(self) -> None:
        """Wait until the copy no longer touches either side."""
        self._copied.synchronize()


def begin_upload(array: npt.NDArray[Any], free_after: Callable[[Any], None] | None = None) -> Upload:
    """Begin to copy to the current device; of page-locked memory the host does not wait.

    Args:
        array: contiguous; stays as it is until the copy is done.
        free_after: is told the event after which the host's memory may be used again.

    Raises:
        DeviceError: CuPy is not installed.
    """
    note_upload(array.nbytes)
    return Upload(array, free_after)


@cache
def _copy_stream(xp: Any) -> Any:
    """The stream of uploads, one for the process and its GPU."""
    return xp.cuda.Stream(non_blocking=True)


def download(array: Any) -> npt.NDArray[Any]:
    """A copy on the host, when the device has made it; a NumPy array as it is."""
    if isinstance(array, np.ndarray):
        return array
    note_download(array.nbytes)
    copied: npt.NDArray[Any] = array.get()
    return copied


def note_download(nbytes: int) -> None:
    """Count bytes that a library brought to the host."""
    if (stats := _ledger.get()) is not None:
        stats.device_to_host_bytes += nbytes


def depart(cause: str, count: int = 1) -> None:
    """Note that something was done on the host which could have stayed on the device, and why.

    Args:
        cause: as the report shows it, such as ``lines of unusual JSON``.
        count: how often; rows or lines where those are meant.
    """
    if count and (stats := _ledger.get()) is not None:
        stats.departures[cause] += count
