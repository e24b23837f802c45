"""Where kernels run: the CPU emulator of this folder, or the device that ``--device cuda`` asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpucurate.ops.cuda import Device
from tests.emulator.backend import Emulated, OnDevice
from tests.emulator.emu import missing_compiler

ORDERS = {"forward": 0, "backward": 1, "shuffled": 7}


@pytest.fixture(scope="session")
def emulator_cache(request: pytest.FixtureRequest) -> Path:
    """Where compiled kernels stay between runs; skips where there is no compiler."""
    if reason := missing_compiler():
        pytest.skip(reason)
    cache = request.config.cache
    assert cache is not None
    return cache.mkdir("emulator")


@pytest.fixture(params=ORDERS)
def device(request: pytest.FixtureRequest) -> Device:
    """Threads in three orders on the emulator; on a device, which has its own order, once."""
    if request.config.getoption("--device") != "cuda":
        return Emulated(request.getfixturevalue("emulator_cache"), ORDERS[request.param])
    if request.param != "forward":
        pytest.skip("a device chooses the order of threads itself")
    return OnDevice()
