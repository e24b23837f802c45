# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""From the signature of a document to its row of the result, whatever the rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.contract import BAND_STEP
from gpucurate.ops.mixing.cpu import fmix64

_STEP, _32 = np.uint64(BAND_STEP), np.uint64(32)


@kernel
def write_row(
    signature: npt.NDArray[Any],
    found: bool,
    rows: int,
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[Any],
    i: int,
) -> None:
    """Fill row i of whichever of ``keys`` and ``values`` has columns.

    Args:
        signature: of the document, uint32 or uint64, at least K.
        found: whether the document has a shingle.
        rows: of a band.
        keys: uint64 of shape (n, bands) or (0, 0).
        values: of the signature's type, of shape (n, K) or (0, 0).
        i: the row.
    """
    for band in range(keys.shape[1]):
        keys[i, band] = _band_key(band, rows, signature) if found else np.uint64(0)
    for k in range(values.shape[1]):
        values[i, k] = signature[k]


@kernel
def _band_key(band: int, rows: int, signature: npt.NDArray[Any]) -> np.uint64:
    key = fmix64(np.uint64(band + 1))
    for k in range(band * rows, (band + 1) * rows):
        key = (key ^ np.uint64(signature[k])) * _STEP
        key ^= key >> _32
    return fmix64(key)
