"""Pairs of rows, which several operations take."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def check_pairs(
    operation: str, left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32], count: int, things: str
) -> None:
    """Refuse pairs that are not of rows from 0 to ``count - 1``.

    Args:
        operation: for the message.
        left: uint32 of length m.
        right: uint32 of length m.
        count: how many rows there are.
        things: what the rows are, for the message.

    Raises:
        ValueError: lengths differ, or there is no such row.
    """
    if len(left) != len(right):
        raise ValueError(f"{operation}: {len(left)} left rows and {len(right)} right rows: they are pairs")
    largest = max(int(left.max()), int(right.max())) if len(left) else -1
    if largest >= count:
        raise ValueError(f"{operation}: row {largest} of {count} {things}: rows are counted from 0")
