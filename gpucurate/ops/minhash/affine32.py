# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""The rule ``affine32`` on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.extremes import update_extremes
from gpucurate.ops.minhash.params import MinHashParams
from gpucurate.ops.minhash.rows import write_row
from gpucurate.ops.minhash.scratch import Scratch, Tables, lookup_tables, scratch_for
from gpucurate.ops.minhash.shingles import Cursor, next_shingles

LANES = 16
"""Multipliers are padded to a multiple of this."""

_LARGEST = np.uint32(2**32 - 1)


def sketch(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    params: MinHashParams,
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
) -> npt.NDArray[np.bool_]:
    """Fill whichever of ``keys`` and ``values`` has rows; which documents have a shingle."""
    odd = params.multipliers()
    lanes = -(-len(odd) // LANES) * LANES
    multipliers = np.ones(lanes, np.uint32)
    multipliers[: len(odd)] = odd
    multipliers.flags.writeable = False
    signature, lows, highs = (
        np.empty(2 * lanes, np.uint32),
        np.empty(lanes, np.uint32),
        np.empty(lanes, np.uint32),
    )
    has_keys = np.zeros(len(offsets) - 1, np.bool_)
    sketch_documents(
        data,
        offsets,
        params.shingle == "word",
        params.ngram,
        params.rows,
        multipliers,
        lookup_tables(),
        scratch_for(params.ngram),
        lows,
        highs,
        signature,
        keys,
        values,
        has_keys,
    )
    return has_keys


@kernel
def sketch_documents(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    of_words: bool,
    ngram: int,
    rows: int,
    multipliers: npt.NDArray[np.uint32],
    tables: Tables,
    scratch: Scratch,
    lows: npt.NDArray[np.uint32],
    highs: npt.NDArray[np.uint32],
    signature: npt.NDArray[np.uint32],
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
    has_keys: npt.NDArray[np.bool_],
) -> None:
    """Sketch each document; whichever of ``keys`` and ``values`` has columns is filled."""
    for i in range(len(has_keys)):
        lows[:] = _LARGEST
        highs[:] = 0
        cursor = Cursor(offsets[i], 0, -1, 0)
        while True:
            count, cursor = next_shingles(data, cursor, offsets[i + 1], of_words, ngram, tables, scratch)
            if count == 0:
                break
            update_extremes(scratch.hashes, count, multipliers, lows, highs)
        for j in range(len(lows)):
            signature[2 * j], signature[2 * j + 1] = lows[j], np.uint32(~highs[j])
        has_keys[i] = cursor.taken > 0
        write_row(signature, cursor.taken > 0, rows, keys, values, i)
