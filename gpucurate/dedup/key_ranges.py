"""The space of 64-bit keys in ranges that hold no more pairs than fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

KEY_BITS = 64
SPLIT_BITS = 16
"""A range of keys is counted by so many further bits at a time: 512 KB of counts."""

Counts = Callable[[int, int, int], npt.NDArray[np.int64]]
"""Given ``low``, ``bits`` and ``rest``: pairs of the ``2**bits`` keys from ``low`` on, by the bits of the key
from ``bits`` down to ``rest``; int64[2**(bits - rest)]."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Neighbouring keys.

    Attributes:
        low: the first key.
        high: the last one.
        pairs: how many there are of them; a bound if nothing was counted.
    """

    low: int
    high: int
    pairs: int


def key_ranges(pairs: int, capacity: int, counts: Counts) -> Iterator[KeyRange]:
    """The key space in ranges of up to ``capacity`` pairs, or of one key, ascending.

    Ranges follow the upper bits of keys, and where too many keys agree in those the next ones.

    Args:
        pairs: how many there are, at most.
        capacity: pairs that fit, at least one.
        counts: counts them, reading all of them once a call.
    """
    return _split(0, KEY_BITS, pairs, capacity, counts)


def _split(low: int, bits: int, pairs: int, capacity: int, counts: Counts) -> Iterator[KeyRange]:
    """Ranges of the ``2**bits`` keys from ``low`` on."""
    if pairs <= capacity or not bits:
        yield KeyRange(low, low + (1 << bits) - 1, pairs)
        return
    rest = max(0, bits - SPLIT_BITS)
    stops = np.cumsum(counts(low, bits, rest))
    first = before = 0
    while before < stops[-1]:
        stop = max(first + 1, int(np.searchsorted(stops, before + capacity, "right")))
        held, start = int(stops[stop - 1]) - before, low + (first << rest)
        if stop == first + 1:
            yield from _split(start, rest, held, capacity, counts)
        elif held:
            yield KeyRange(start, low + (stop << rest) - 1, held)
        first, before = stop, before + held
