"""Ranks of documents: of the members of a cluster the one with the largest survives.

uint64; 0 is no document, 1 a document without a value. A double x is ranked by its bits: with
the sign bit set where x >= 0, all inverted where x < 0 (so the order of doubles is that of
ranks, from -inf at 2^52 - 1 to +inf at 2^64 - 2^52); ``min`` ranks by the complement.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.dedup.column_values import Numbers, distinct, numbers_of, texts_of
from gpucurate.dedup.policy import Policy

Ranks = npt.NDArray[np.uint64]
Lengths = npt.NDArray[np.uint32]

WITHOUT_VALUE = 1
_SIGN = np.uint64(1 << 63)


def column_ranks(column: pa.Array, policy: Policy) -> tuple[Ranks, int]:
    """Ranks of documents by a column.

    Args:
        column: its values, one a document.
        policy: ``max``, ``min``, or ``prefer`` with a column.

    Returns:
        uint64[n], and how many documents have no value in the column.
    """
    if policy.kind == "prefer":
        return _preferences(column, policy)
    numbers = numbers_of(column)
    ranks = ordered(numbers)
    missing = np.isnan(numbers)
    if policy.kind == "min":
        ranks = ~ranks
    ranks[missing] = WITHOUT_VALUE
    return ranks, int(np.count_nonzero(missing))


def ordered(numbers: Numbers) -> Ranks:
    """Doubles as integers of the same order; -0.0 and 0.0 are one. What NaN becomes says nothing."""
    bits = (numbers + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _preferences(column: pa.Array, policy: Policy) -> tuple[Ranks, int]:
    values, places = distinct(column)
    texts = texts_of(values)
    by_value = [WITHOUT_VALUE if text is None else policy.preference(text) for text in texts]
    ranks: Ranks = np.array([*by_value, WITHOUT_VALUE], np.uint64)[places]
    absent = np.array([*(text is None for text in texts), True])[places]
    return ranks, int(np.count_nonzero(absent))


def length_ranks(lengths: Lengths, policy: Policy) -> Lengths:
    """Ranks of documents by their length; uint32, which takes half the memory.

    Args:
        lengths: uint32, characters plus one; 0 for a record that is no document, which stays 0.
        policy: ``first``, ``longest`` or ``shortest``.
    """
    if policy.kind == "longest":
        return lengths
    shorter = np.uint32(2**32 - 1) - lengths + np.uint32(1)
    ranks: Lengths = np.where(lengths == 0, lengths, shorter if policy.kind == "shortest" else np.uint32(1))
    return ranks
