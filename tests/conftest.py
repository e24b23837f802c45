"""Options and fixtures that all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import tests.depth  # noqa: F401 - the profiles of hypothesis
from gpucurate.backends import process
from tests.device import missing_device
from tests.emulated import emulated_cupy
from tests.emulator.emu import missing_compiler
from tests.order import begin_with_the_longest, scheduler
from tests.servers import Servers

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--truth-data",
        default=str(REPOSITORY.parent / "shared" / "data"),
        help="folder of the ground-truth data sets; tests that need it skip where it is absent",
    )
    parser.addoption(
        "--device",
        choices=["cpu", "cuda", "emulated"],
        default="cpu",
        help="cuda: also run what needs a CUDA device, and every deduplication there, and fail where "
        "there is none; emulated: every deduplication on the emulated device; cpu (default): tests "
        "marked gpu skip where there is no device",
    )
    parser.addoption(
        "--ray",
        action="store_true",
        help="also run what starts clusters of Ray again and again (tests/ray), and every executor on Ray "
        "through the whole conformance suite",
    )
    parser.addoption(
        "--large-input",
        action="store_true",
        help="also read lines and row groups of 2 GB and folders of a million files (make bad-input)",
    )
    parser.addoption(
        "--update-registers",
        action="store_true",
        help="write what kernels take now into tests/emulator/registers.json",
    )


def pytest_configure(config: pytest.Config) -> None:
    is_free = config.getoption("--hypothesis-seed", default=None) is not None
    settings.register_profile("scheduler", settings(), derandomize=not is_free)
    if config.getoption("--device") == "cuda" and (reason := missing_device()):
        raise pytest.UsageError(f"--device cuda was asked for, but there is {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_device = [item for item in items if item.get_closest_marker("gpu")]
    if on_device and (reason := missing_device()):
        for item in on_device:
            item.add_marker(pytest.mark.skip(reason=reason))
    if "PYTEST_XDIST_WORKER" in os.environ:
        begin_with_the_longest(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return scheduler(config, log) if config.option.dist == "loadfile" else None


@pytest.fixture(autouse=True, scope="module")
def what_is_loaded_is_no_garbage() -> None:
    """Runs collect garbage where something failed: half a second each time, were it looked for in all that
    hundreds of files have loaded."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def servers() -> Iterator[Servers]:
    """Runs of this process have their workers without waiting a second for them (tests/servers.py)."""
    servers = Servers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "fork_server", servers.take)
        yield servers
    servers.close()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working tree."""
    return REPOSITORY


@pytest.fixture
def truth_data(request: pytest.FixtureRequest) -> Path:
    """The folder of data sets with ground truth, or a skip with its reason."""
    folder = Path(request.config.getoption("--truth-data"))
    if not folder.is_dir():
        pytest.skip("truth data absent (--truth-data)")
    return folder


@pytest.fixture
def cuda(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """CuPy: on the device that ``--device cuda`` asks for, else emulated."""
    if request.config.getoption("--device") == "cuda":
        import cupy

        yield cupy
        return
    if reason := missing_compiler():
        pytest.skip(reason)
    cache = request.config.cache
    assert cache is not None
    monkeypatch.setenv("GPUCURATE_EMULATOR_CACHE", str(cache.mkdir("emulator")))
    with emulated_cupy() as cupy:
        yield cupy
