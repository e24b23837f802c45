# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Radix sort on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel

Keys = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.int64]

_DIGITS, _RADIX = 8, 256
_MASK = np.uint64(_RADIX - 1)


def sort_pairs(keys: Keys, ids: Ids, keys_scratch: Keys, ids_scratch: Ids) -> tuple[Keys, Ids]:
    """See the contract; all four of one length."""
    counts = np.zeros((_DIGITS, _RADIX), np.int64)
    in_scratch = _sort(keys, ids, keys_scratch, ids_scratch, counts)
    return (keys_scratch, ids_scratch) if in_scratch else (keys, ids)


def sort_hashes(hashes: Keys, ids: Ids) -> tuple[Keys, Keys, Ids]:
    """See the contract."""
    high, order = _sorted_order(hashes[:, 0].copy(), np.arange(len(hashes), dtype=np.uint32))
    low = hashes[order, 1]
    if _is_ambiguous(high, low):
        _, by_low = _sorted_order(hashes[:, 1].copy(), np.arange(len(hashes), dtype=np.uint32))
        high, order = _sorted_order(hashes[by_low, 0], by_low)
        low = hashes[order, 1]
    return high, low, ids[order]


def _sorted_order(keys: Keys, order: Ids) -> tuple[Keys, Ids]:
    return sort_pairs(keys, order, np.empty_like(keys), np.empty_like(order))


@kernel
def _is_ambiguous(high: Keys, low: Keys) -> bool:
    """Whether two neighbours agree in the first word only: then the second has to be sorted too."""
    for i in range(1, len(high)):  # noqa: SIM110 - numba compiles no generators
        if high[i] == high[i - 1] and low[i] != low[i - 1]:
            return True
    return False


@kernel
def _sort(keys: Keys, ids: Ids, other_keys: Keys, other_ids: Ids, counts: Counts) -> bool:
    """Sort; whether the result lies in the other arrays."""
    _count_digits(keys, counts)
    in_other = False
    for digit in range(_DIGITS):
        shift = np.uint64(8 * digit)
        if len(keys) == 0 or counts[digit, np.int64((keys[0] >> shift) & _MASK)] == len(keys):
            continue
        _starts_of_buckets(counts[digit])
        if in_other:
            _scatter(other_keys, other_ids, keys, ids, shift, counts[digit])
        else:
            _scatter(keys, ids, other_keys, other_ids, shift, counts[digit])
        in_other = not in_other
    return in_other


@kernel
def _count_digits(keys: Keys, counts: Counts) -> None:
    for key in keys:
        for digit in range(_DIGITS):
            counts[digit, np.int64((key >> np.uint64(8 * digit)) & _MASK)] += 1


@kernel
def _starts_of_buckets(counts: Counts) -> None:
    total = 0
    for bucket in range(_RADIX):
        size = counts[bucket]
        counts[bucket] = total
        total += size


@kernel
def _scatter(keys: Keys, ids: Ids, to_keys: Keys, to_ids: Ids, shift: np.uint64, places: Counts) -> None:
    for i in range(len(keys)):
        key = keys[i]
        bucket = np.int64((key >> shift) & _MASK)
        place = places[bucket]
        places[bucket] = place + 1
        to_keys[place] = key
        to_ids[place] = ids[i]
