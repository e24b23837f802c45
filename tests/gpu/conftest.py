"""The order of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gpu.order import kernels_that_never_ran, rank

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "gpu-status.md"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [place for place, item in enumerate(items) if HERE in item.path.parents]
    never_ran = kernels_that_never_ran(PAGE.read_text())
    ordered = sorted((items[place] for place in places), key=lambda item: _rank(item, never_ran))
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def _rank(item: pytest.Item, never_ran: set[str]) -> int:
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return rank(item.get_closest_marker("gpu") is not None, given.get("name"), never_ran)
