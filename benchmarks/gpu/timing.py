"""Time on the device, by CUDA events."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpucurate.ops.cuda import CudaDevice
from gpucurate.ops.cuda.device import Kernel


@dataclass(frozen=True, slots=True)
class Timing:
    """Median seconds of a call, and how far runs lay apart.

    Attributes:
        seconds: from the first to the last thing on the device; what the host does in between counts.
        spread: slowest less fastest, as a share of the median.
        kernels: of the kernels of gpucurate alone; None if none ran.
    """

    seconds: float
    spread: float
    kernels: float | None = None


class Stopwatch:
    """Two events of a stream.

    Args:
        stream: that they are recorded in; the current one if None.
    """

    def __init__(self, stream: Any = None) -> None:
        import cupy

        self._stream = stream
        self._events = cupy.cuda.Event(), cupy.cuda.Event()

    def start(self) -> None:
        """The device begins."""
        self._events[0].record(self._stream)

    def stop(self) -> None:
        """The device is done with what was asked for so far."""
        self._events[1].record(self._stream)

    @property
    def seconds(self) -> float:
        """Between both; waits for the second."""
        import cupy

        self._events[1].synchronize()
        return max(float(cupy.cuda.get_elapsed_time(*self._events)) / 1000, 1e-9)


class TimedDevice(CudaDevice):
    """The CUDA device, with a stopwatch around each kernel that is launched on it."""

    def __init__(self) -> None:
        super().__init__()
        self._watches: list[Stopwatch] = []

    def kernel(self, source: str, function: str, options: tuple[str, ...] = ()) -> Kernel:
        """See ``Device``."""
        inner = super().kernel(source, function, options)

        def timed(grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
            watch = Stopwatch()
            watch.start()
            inner(grid, block, arguments)
            watch.stop()
            self._watches.append(watch)

        return timed

    def taken(self) -> float | None:
        """Seconds of the kernels since the last call; None if there were none."""
        watches, self._watches = self._watches, []
        return sum(watch.seconds for watch in watches) if watches else None


TIMED = TimedDevice()
PLAIN = CudaDevice()


def measure(
    call: Callable[[CudaDevice], object],
    repeats: int,
    seconds: float,
    prepare: Callable[[], object] = lambda: None,
) -> Timing:
    """Run a call once to warm up, then as often as asked for, then with its kernels timed.

    Args:
        call: is given the device to run on.
        repeats: runs that are timed.
        seconds: after which no further run begins.
        prepare: before each run, not timed.
    """
    prepare()
    call(PLAIN)
    taken: list[float] = []
    began = time.monotonic()
    while not taken or (len(taken) < repeats and time.monotonic() - began < seconds):
        prepare()
        taken.append(_timed(call))
    kernels = [_kernels(call, prepare) for _ in range(min(3, repeats))]
    found = [each for each in kernels if each is not None]
    middle = statistics.median(taken)
    alone = statistics.median(found) if found else None
    return Timing(middle, (max(taken) - min(taken)) / middle, alone)


def _timed(call: Callable[[CudaDevice], object]) -> float:
    watch = Stopwatch()
    watch.start()
    call(PLAIN)
    watch.stop()
    return watch.seconds


def _kernels(call: Callable[[CudaDevice], object], prepare: Callable[[], object]) -> float | None:
    prepare()
    TIMED.taken()
    call(TIMED)
    return TIMED.taken()
