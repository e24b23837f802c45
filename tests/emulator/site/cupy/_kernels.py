"""``RawModule`` over the emulator of CUDA C++."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from cupy._array import unwrapped
from tests.emulator import emu

ORDER = int(os.environ.get("GPUCURATE_EMULATOR_ORDER", "0"))
CACHE = Path(os.environ.get("GPUCURATE_EMULATOR_CACHE") or Path(tempfile.gettempdir()) / "gpucurate-emulator")


class RawModule:
    """Kernels of a source text; compiled when the first is asked for."""

    def __init__(self, *, code: str, options: tuple[str, ...] = (), **_: Any) -> None:
        self._code, self._options = code, tuple(o for o in options if not o.startswith("-std"))
        self._module: emu.RawModule | None = None

    def get_function(self, name: str) -> Any:
        """A kernel, called with grid, block and arguments."""
        if self._module is None:
            self._module = emu.RawModule(path=_as_file(self._code), cache=CACHE, options=self._options)
        function = self._module.get_function(name)
        function.order = ORDER

        def launch(
            grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...], **_: Any
        ) -> None:
            if any(each is None for each in arguments):
                raise TypeError(
                    "CuPy passes None as an address that is not 0 (its issue 9046): pass np.uint64(0)"
                )
            function(grid, block, unwrapped(tuple(arguments)))

        return launch


def _as_file(code: str) -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"{hashlib.sha256(code.encode()).hexdigest()[:24]}.cu"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(code)
        unfinished.replace(path)
    return path
