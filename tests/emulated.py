"""CuPy, RMM, pylibcudf and cuDF for tests: of this machine's device, or emulated."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SITE = Path(__file__).parent / "emulator" / "site"
"""On the path before site-packages, ``import cupy`` finds the emulated one."""

PACKAGES = {"cupy", "rmm", "cuda", "pylibcudf", "cudf"}
"""What lies there."""


def environment(cache: Path) -> dict[str, str]:
    """What another process needs to find the emulated CuPy."""
    paths = [str(SITE), str(SITE.parents[2])]
    return {"PYTHONPATH": ":".join(paths), "GPUCURATE_EMULATOR_CACHE": str(cache)}


@contextmanager
def emulated_cupy() -> Iterator[Any]:
    """Let ``import cupy`` find the emulated one, in this process."""
    before = _take_out()
    sys.path.insert(0, str(SITE))
    try:
        yield importlib.import_module("cupy")
    finally:
        sys.path.remove(str(SITE))
        _take_out()
        sys.modules.update(before)


def _take_out() -> dict[str, Any]:
    """Take CuPy and what it stands on out of what is imported; what was there."""
    names = [name for name in sys.modules if name.partition(".")[0] in PACKAGES]
    return {name: sys.modules.pop(name) for name in names}
