"""Many requests to a store at a time: each takes long, and none takes much."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

REQUESTS = 32
"""Requests at a time."""


def at_once(call: Callable[[A], B], items: Iterable[A], most: int = REQUESTS) -> list[B]:
    """What ``call`` makes of each item, in order; after an error, which is raised, no more are begun."""
    given = list(items)
    if len(given) < 2:
        return [call(item) for item in given]
    with ThreadPoolExecutor(min(most, len(given)), "store") as pool:
        return list(pool.map(call, given))
