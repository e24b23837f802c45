"""Options and fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--truth-data",
        default=str(Path(__file__).resolve().parents[2] / "shared" / "data"),
        help="folder of the ground-truth data sets; tests that need it skip where it is absent",
    )


@pytest.fixture
def truth_data(request: pytest.FixtureRequest) -> Path:
    """The folder of data sets with ground truth, or a skip with its reason."""
    folder = Path(request.config.getoption("--truth-data"))
    if not folder.is_dir():
        pytest.skip("truth data absent (--truth-data)")
    return folder
