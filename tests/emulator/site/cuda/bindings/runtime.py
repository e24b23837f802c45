"""``cuda.bindings.runtime``: memory pools of the emulated device, as far as the project calls them."""

from __future__ import annotations

from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from cupy import _memory
from cupy.cuda import runtime as _runtime


class cudaMemPoolAttr(IntEnum):
    """What can be asked of a pool."""

    cudaMemPoolAttrReleaseThreshold = 4
    cudaMemPoolAttrReservedMemCurrent = 5


class cudaMemAllocationType(IntEnum):
    """Kinds of memory."""

    cudaMemAllocationTypePinned = 1


class cudaMemLocationType(IntEnum):
    """Where it lies."""

    cudaMemLocationTypeDevice = 1


def cudaMemPoolProps() -> Any:
    """How a pool is to be."""
    return SimpleNamespace(allocType=None, location=SimpleNamespace(type=None, id=None))


def cudaGetDevice() -> tuple[int, int]:
    """The current one."""
    return 0, _runtime.getDevice()


def cudaMemGetInfo() -> tuple[int, int, int]:
    """Bytes free, and in all."""
    return 0, *_runtime.memGetInfo()


def cudaMemPoolCreate(properties: Any) -> tuple[int, Any]:
    """A pool."""
    return 0, SimpleNamespace(threshold=0)


def cudaDeviceGetDefaultMemPool(device: int) -> tuple[int, Any]:
    """The default one."""
    return 0, SimpleNamespace(threshold=0)


def cudaMemPoolGetAttribute(pool: Any, attribute: cudaMemPoolAttr) -> tuple[int, int]:
    """Of the two attributes."""
    if attribute is cudaMemPoolAttr.cudaMemPoolAttrReleaseThreshold:
        return 0, pool.threshold
    return 0, _memory.held()["reserved"]


def cudaMemPoolSetAttribute(pool: Any, attribute: cudaMemPoolAttr, value: int) -> tuple[int]:
    """The threshold."""
    pool.threshold = int(value)
    return (0,)


def cudaMemPoolTrimTo(pool: Any, least: int) -> tuple[int]:
    """Nothing is idle afterwards."""
    _memory.trim()
    return (0,)


def cudaMemPoolDestroy(pool: Any) -> tuple[int]:
    """Nothing is left of it."""
    return (0,)


def cudaDeviceSynchronize() -> tuple[int]:
    """Everything is done already."""
    return (0,)
