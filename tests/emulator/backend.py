"""Where a test runs the project's kernels: on the emulator, or on a CUDA device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gpucurate.ops.kernels import kernel_path, kernel_source
from tests.emulator.emu import RawModule


class Backend(Protocol):
    """Finds kernels; its arrays are those of ``xp``, NumPy or CuPy."""

    xp: Any

    def kernel(self, source: str, name: str, options: tuple[str, ...] = ()) -> Any: ...

    def to_host(self, array: Any) -> Any: ...


@dataclass(frozen=True)
class Emulated:
    """The emulator, with threads in one order."""

    cache: Path
    order: int = 0
    xp: Any = np

    def kernel(self, source: str, name: str, options: tuple[str, ...] = ()) -> Any:
        module = RawModule(path=kernel_path(source), cache=self.cache, options=options)
        found = module.get_function(name)
        found.order = self.order
        return found

    def to_host(self, array: Any) -> Any:
        return array


class OnDevice:
    """The current CUDA device, through CuPy and NVRTC."""

    def __init__(self) -> None:
        import cupy

        self.xp = cupy

    def kernel(self, source: str, name: str, options: tuple[str, ...] = ()) -> Any:
        include = f"-I{kernel_path(source).parent}"
        module = self.xp.RawModule(code=kernel_source(source), options=("-std=c++17", include, *options))
        return module.get_function(name)

    def to_host(self, array: Any) -> Any:
        return self.xp.asnumpy(array)
