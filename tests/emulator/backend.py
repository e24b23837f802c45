"""Where a test runs the project's kernels: on the emulator, or on a CUDA device."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CudaDevice, Device
from gpucurate.ops.kernels import kernel_path
from tests.emulator.emu import RawModule


@dataclass
class Emulated(Device):
    """The emulator: threads in one order, a grid as large as so many multiprocessors take."""

    cache: Path
    order: int = 0
    multiprocessors: int = 132
    chunk_bytes: int = 2048
    loaded: dict[tuple[str, tuple[str, ...]], RawModule] = field(default_factory=dict)

    xp = np

    def kernel(self, source: str, function: str, options: tuple[str, ...] = ()) -> Any:
        if (source, options) not in self.loaded:
            path = kernel_path(source)
            self.loaded[source, options] = RawModule(path=path, cache=self.cache, options=options)
        found = self.loaded[source, options].get_function(function)
        found.order = self.order
        return found


class OnDevice(CudaDevice):
    """A CUDA device, with chunks and grids of a size that a test may choose."""

    def __init__(self) -> None:
        super().__init__()
        self.chunk_bytes = Device.chunk_bytes
        self.chosen: int | None = None

    @property
    def multiprocessors(self) -> int:
        return self.chosen or super().multiprocessors

    @multiprocessors.setter
    def multiprocessors(self, count: int) -> None:
        self.chosen = count


def to_host(array: Any) -> Any:
    """An array as NumPy's; scalars and None as they are."""
    return array.get() if hasattr(array, "get") else array


def text_on(device: Device, text: TextBuffers) -> TextBuffers:
    """The same text with its arrays on the device."""
    valid = None if text.valid is None else device.xp.asarray(text.valid)
    return TextBuffers(device.xp.asarray(text.data), device.xp.asarray(text.offsets), valid)
