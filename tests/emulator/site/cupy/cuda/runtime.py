"""``cupy.cuda.runtime`` of the emulated device."""

from __future__ import annotations

import os
from typing import Any

from cupy import _memory

_current = [0]


class CUDARuntimeError(RuntimeError):
    """As CuPy's."""


def getDeviceCount() -> int:
    """As many as the environment says."""
    return int(os.environ.get("GPUCURATE_EMULATED_GPUS", "1"))


def getDevice() -> int:
    """Number of the current device."""
    return _current[0]


def setDevice(number: int) -> None:
    """Choose the current device."""
    if number >= getDeviceCount():
        raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
    _current[0] = number


def getDeviceProperties(number: int) -> dict[str, Any]:
    """What grids are sized by."""
    return {
        "multiProcessorCount": 4,
        "name": b"emulated",
        "major": 9,
        "minor": 0,
        "totalGlobalMem": _memory.TOTAL,
    }


def memGetInfo() -> tuple[int, int]:
    """Bytes free, and in all."""
    return _memory.TOTAL - _memory.held()["reserved"], _memory.TOTAL


def deviceSynchronize() -> None:
    """Everything is done already."""


def driverGetVersion() -> int:
    """As a driver for CUDA 13.0 says it."""
    return 13000


def runtimeGetVersion() -> int:
    """As CUDA 13.0 says it."""
    return 13000
