# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""MinHash on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import text_arrays
from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.contract import BAND_STEP
from gpucurate.ops.minhash.params import MinHashParams
from gpucurate.ops.minhash.scratch import Scratch, Tables, scratch_for, tables_for
from gpucurate.ops.minhash.shingles import absorb_characters, absorb_words
from gpucurate.ops.mixing.cpu import fmix64

_STEP, _32 = np.uint64(BAND_STEP), np.uint64(32)
_LARGEST = np.uint32(2**32 - 1)


def band_keys(
    text: TextBuffers, params: MinHashParams
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """See the contract."""
    keys = np.empty((len(text), params.bands), np.uint64)
    return keys, _sketch(text, params, keys, np.empty((0, 0), np.uint32))


def signatures(text: TextBuffers, params: MinHashParams) -> npt.NDArray[np.uint32]:
    """See the contract."""
    values = np.empty((len(text), params.num_permutations), np.uint32)
    _sketch(text, params, np.empty((0, 0), np.uint64), values)
    return values


def _sketch(
    text: TextBuffers, params: MinHashParams, keys: npt.NDArray[np.uint64], values: npt.NDArray[np.uint32]
) -> npt.NDArray[np.bool_]:
    """Fill whichever of ``keys`` and ``values`` has rows; which documents have a shingle."""
    data, offsets = text_arrays(text)
    tables = tables_for(params)
    scratch = scratch_for(params, len(tables.multipliers))
    has_keys = np.zeros(len(text), np.bool_)
    of_words = params.shingle == "word"
    sketch_documents(
        data, offsets, of_words, params.ngram, params.rows, tables, scratch, keys, values, has_keys
    )
    return has_keys


@kernel
def sketch_documents(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    of_words: bool,
    ngram: int,
    rows: int,
    tables: Tables,
    scratch: Scratch,
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
    has_keys: npt.NDArray[np.bool_],
) -> None:
    """Sketch each document; whichever of ``keys`` and ``values`` has columns is filled."""
    for i in range(len(has_keys)):
        scratch.lows[:] = _LARGEST
        scratch.highs[:] = 0
        if of_words:
            found = absorb_words(data, offsets[i], offsets[i + 1], ngram, tables, scratch)
        else:
            found = absorb_characters(data, offsets[i], offsets[i + 1], ngram, tables, scratch)
        has_keys[i] = found
        for band in range(keys.shape[1]):
            keys[i, band] = _band_key(band, rows, scratch) if found else np.uint64(0)
        for k in range(values.shape[1]):
            values[i, k] = _value(k, scratch)


@kernel
def _value(k: int, scratch: Scratch) -> np.uint32:
    """The k-th value of the signature: a minimum, or the complement of a maximum."""
    return np.uint32(~scratch.highs[k >> 1]) if k & 1 else scratch.lows[k >> 1]


@kernel
def _band_key(band: int, rows: int, scratch: Scratch) -> np.uint64:
    key = fmix64(np.uint64(band + 1))
    for k in range(band * rows, (band + 1) * rows):
        key = (key ^ np.uint64(_value(k, scratch))) * _STEP
        key ^= key >> _32
    return fmix64(key)
