"""What a GPU is and which cores are near it, as NVML tells; the one place in backends that asks it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

_WORD = 64
"""Cores in one word of NVML's mask."""


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU.

    Attributes:
        uuid: as NVML calls it; empty where there is no such device.
        memory: bytes in all; 0 where that is not known.
        cores: of its NUMA node, ascending; empty where that is not known.
    """

    uuid: str = ""
    memory: int = 0
    cores: tuple[int, ...] = ()


class Topology(Protocol):
    """Tells of the GPUs of this machine."""

    def device(self, gpu: str) -> Device:
        """A GPU by its number or uuid; one of which nothing is known where there is none."""
        ...


class Nvml:
    """Asks the driver, without making a context on any device."""

    def device(self, gpu: str) -> Device:
        """A GPU by its number or uuid; one of which nothing is known where NVML or the device is missing."""
        with _library() as library:
            if library is None:
                return Device()
            try:
                return _ask(library, gpu)
            except library.NVMLError:
                return Device()


def _ask(library: ModuleType, gpu: str) -> Device:
    by_number = gpu.isdigit()
    handle = (
        library.nvmlDeviceGetHandleByIndex(int(gpu)) if by_number else library.nvmlDeviceGetHandleByUUID(gpu)
    )
    words = library.nvmlDeviceGetCpuAffinity(handle, math.ceil((os.cpu_count() or 1) / _WORD))
    return Device(
        uuid=library.nvmlDeviceGetUUID(handle),
        memory=library.nvmlDeviceGetMemoryInfo(handle).total,
        cores=cores_of(words),
    )


@contextmanager
def _library() -> Iterator[ModuleType | None]:
    """NVML, ready; None where it is not installed or finds no driver."""
    try:
        import pynvml
    except ImportError:
        yield None
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def cores_of(words: Sequence[int]) -> tuple[int, ...]:
    """Numbers of the bits that are set in a mask of words of 64 bits.

    >>> cores_of([0b101, 1])
    (0, 2, 64)
    """
    return tuple(
        _WORD * at + bit for at, word in enumerate(words) for bit in range(_WORD) if int(word) >> bit & 1
    )


def stay_near(devices: Sequence[Device]) -> tuple[int, ...]:
    """Keep this process on the cores near its GPUs, of those that it may use; the cores it is on then.

    Nothing changes where none is known, or where the process may use none of them.
    """
    allowed = os.sched_getaffinity(0)
    near = allowed & {core for device in devices for core in device.cores}
    if near and near != allowed:
        os.sched_setaffinity(0, near)
    return tuple(sorted(os.sched_getaffinity(0)))
