"""Where the sources of cuDF, pylibcudf and RMM are: ``make setup`` fetches them beside the environment."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.rapids.sources import Sources


def folder_of_rapids() -> Path | None:
    """The folder beside the environment, or the one where they are installed."""
    fetched, spec = Path(sys.prefix) / "rapids-api", find_spec("cudf")
    if fetched.is_dir():
        return fetched
    return Path(spec.origin).parents[1] if spec and spec.origin else None


@pytest.fixture(scope="session")
def rapids_folder() -> Path:
    folder = folder_of_rapids()
    if folder is None:
        pytest.skip("no sources of RAPIDS: make setup could not fetch rapids-api.txt")
    return folder


@pytest.fixture(scope="session")
def rapids(rapids_folder: Path) -> Sources:
    """Sources of cuDF, pylibcudf and RMM, or a skip with its reason."""
    return Sources(rapids_folder)
