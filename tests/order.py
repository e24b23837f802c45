"""What a process of pytest-xdist takes at once, and what is begun first, so that two end together.

A long file that comes last keeps one process at work while the others have nothing left.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

TOGETHER = ("tests/security",)
"""Folders of which one process takes all files: they share what took long to set up."""

SECONDS: dict[str, int] = {}
"""What files (or folders) that take long took when all were run on two cores. An order is all that it is for:
where it is wrong, the end comes later, and nothing else. Written by hand, from ``--durations``."""

_SECONDS_A_TEST = 0.05
"""Elsewhere."""


def unit_of(nodeid: str) -> str:
    """The file that a test is in, or the folder where that stays together.

    >>> unit_of("tests/io/test_rows.py::test_rows[a/b::c]")
    'tests/io/test_rows.py'
    """
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def begin_with_the_longest(items: list[pytest.Item]) -> None:
    """Sort tests: units in the order of what they take, each in the order in which it stands.

    Args:
        items: as they were collected; sorted in place.
    """
    tests = Counter(unit_of(item.nodeid) for item in items)
    seconds = {unit: SECONDS.get(unit, _SECONDS_A_TEST * count) for unit, count in tests.items()}
    items.sort(key=lambda item: (-seconds[unit := unit_of(item.nodeid)], unit))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """What gives processes one unit after the other, for pytest-xdist.

    Args:
        config: of the process that has the others.
        log: as xdist gives it.
    """
    from xdist.scheduler import LoadFileScheduling

    class Units(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False  # it would begin with the units of most tests
    return Units(config, log)
