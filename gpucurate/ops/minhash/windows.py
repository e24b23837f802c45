# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Hashes of all windows of n values, by doubling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.params import SHINGLE_BASE
from gpucurate.ops.mixing.cpu import fmix32
from gpucurate.ops.utf8.cpu import whole_vectors

_BASE = np.uint32(SHINGLE_BASE)


@kernel
def hash_windows(
    values: npt.NDArray[np.uint32],
    count: int,
    length: int,
    even: npt.NDArray[np.uint32],
    odd: npt.NDArray[np.uint32],
    out: npt.NDArray[np.uint32],
) -> None:
    """``out[i] = fmix32(sum_j values[i+j] * B^(length-1-j)) | 1`` for i < count.

    The polynomial of 2m values is that of the first m, shifted, plus that of the second m: so a
    window costs about log2(length) products instead of length, and every pass vectorises.

    Args:
        values: uint32, at least ``count + length - 1``.
        count: number of windows, at least 1.
        length: values in a window, at least 1.
        even, odd: scratch as long as ``values``.
        out: receives the hashes.
    """
    bit = 1
    while bit * 2 <= length:
        bit *= 2
    sums, target, spare = values, even, odd
    done, power = 1, _BASE  # sums[i] is the polynomial of values[i:i+done], power is B^done
    while bit > 1:
        bit //= 2
        if length & bit:
            _append_value(sums, done, power, values, count + length - 2 * done - 1, target)
        else:
            _double(sums, done, power, count + length - 2 * done, target)
        power = np.uint32(power * power)
        done *= 2
        if length & bit:
            power = np.uint32(power * _BASE)
            done += 1
        sums, target, spare = target, spare, target
    for i in range(whole_vectors(count)):
        out[i] = fmix32(sums[i]) | np.uint32(1)


@kernel
def _double(
    sums: npt.NDArray[np.uint32], done: int, power: np.uint32, count: int, target: npt.NDArray[np.uint32]
) -> None:
    """Polynomials of twice as many values. A slice for each offset lets the loop vectorise."""
    later = sums[done:]
    for i in range(whole_vectors(count)):
        target[i] = np.uint32(np.uint32(sums[i] * power) + later[i])


@kernel
def _append_value(
    sums: npt.NDArray[np.uint32],
    done: int,
    power: np.uint32,
    values: npt.NDArray[np.uint32],
    count: int,
    target: npt.NDArray[np.uint32],
) -> None:
    """Polynomials of twice as many values and one more."""
    later, last, shifted = sums[done:], values[2 * done :], np.uint32(power * _BASE)
    for i in range(whole_vectors(count)):
        target[i] = np.uint32(np.uint32(sums[i] * shifted) + np.uint32(later[i] * _BASE) + last[i])
