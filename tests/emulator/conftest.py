"""Where kernels run: the CPU emulator of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.emu import missing_compiler


@pytest.fixture(scope="session")
def emulator_cache(request: pytest.FixtureRequest) -> Path:
    """Where compiled kernels stay between runs; skips where there is no compiler."""
    if reason := missing_compiler():
        pytest.skip(reason)
    cache = request.config.cache
    assert cache is not None
    return cache.mkdir("emulator")
