# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""The rule ``nvtext32`` on the CPU: the values of cuDF's ``minhash``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.affine import LANES, lower_affine32, padded
from gpucurate.ops.minhash.murmur32 import Words, hash_windows32, words32
from gpucurate.ops.minhash.params import MinHashParams
from gpucurate.ops.minhash.rows import write_row
from gpucurate.ops.minhash.text_blocks import BlockText, block_text, load_block

_LARGEST = np.uint32(2**32 - 1)


def sketch(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    params: MinHashParams,
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
) -> npt.NDArray[np.bool_]:
    """Fill whichever of ``keys`` and ``values`` has rows; which documents have a shingle."""
    multipliers, addends = params.permutations()
    seed = multipliers[0]
    return sketch_permuted(data, offsets, params.ngram, params.rows, seed, multipliers, addends, keys, values)


def sketch_permuted(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    width: int,
    rows: int,
    seed: np.uint32,
    multipliers: npt.NDArray[np.uint32],
    addends: npt.NDArray[np.uint32],
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
) -> npt.NDArray[np.bool_]:
    """The same for any seed of the hash and any permutations, as cuDF's ``minhash`` takes them."""
    lows = np.empty(-(-len(addends) // LANES) * LANES, np.uint32)
    has_keys = np.zeros(len(offsets) - 1, np.bool_)
    sketch_documents(
        data,
        offsets,
        width,
        rows,
        seed,
        padded(multipliers),
        padded(addends),
        block_text(),
        words32(),
        lows,
        keys,
        values,
        has_keys,
    )
    return has_keys


@kernel
def sketch_documents(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    ngram: int,
    rows: int,
    seed: np.uint32,
    multipliers: npt.NDArray[np.uint32],
    addends: npt.NDArray[np.uint32],
    text: BlockText,
    words: Words,
    lows: npt.NDArray[np.uint32],
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
    has_keys: npt.NDArray[np.bool_],
) -> None:
    """Sketch each document; whichever of ``keys`` and ``values`` has columns is filled."""
    for i in range(len(has_keys)):
        start, stop = offsets[i], offsets[i + 1]
        lows[:] = _LARGEST if start < stop else np.uint32(0)
        at = start
        while at < stop:
            block = load_block(data, at, at == start, stop, ngram, text)
            hash_windows32(text, block, seed, words)
            lower_affine32(words.hashes, block.windows, multipliers, addends, lows)
            at = block.next_block
        has_keys[i] = start < stop
        write_row(lows, start < stop, rows, keys, values, i)
