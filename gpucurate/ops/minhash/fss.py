# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""The rule ``fss``, Fast Similarity Sketching, on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.compiled import kernel
from gpucurate.ops.minhash.params import MinHashParams
from gpucurate.ops.minhash.rows import write_row
from gpucurate.ops.minhash.scratch import Scratch, Tables, lookup_tables, scratch_for
from gpucurate.ops.minhash.shingles import Cursor, next_shingles
from gpucurate.ops.minhash.slots import FILTER, SlotScratch, absorb
from gpucurate.ops.utf8.cpu import PADDING

_EMPTY = np.uint32(2**32 - 1)


def sketch(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    params: MinHashParams,
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
) -> npt.NDArray[np.bool_]:
    """Fill whichever of ``keys`` and ``values`` has rows; which documents have a shingle."""
    scratch = scratch_for(params.ngram)
    room = len(scratch.hashes) + PADDING
    own = SlotScratch(np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(FILTER, np.uint32))
    slots = np.empty(params.num_permutations, np.uint32)
    has_keys = np.zeros(len(offsets) - 1, np.bool_)
    sketch_documents(
        data,
        offsets,
        params.shingle == "word",
        params.ngram,
        params.rows,
        params.multipliers(),
        lookup_tables(),
        scratch,
        own,
        slots,
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
    own: SlotScratch,
    slots: npt.NDArray[np.uint32],
    keys: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint32],
    has_keys: npt.NDArray[np.bool_],
) -> None:
    """Sketch each document; whichever of ``keys`` and ``values`` has columns is filled."""
    for i in range(len(has_keys)):
        slots[:] = _EMPTY
        is_filter_clear = False
        cursor = Cursor(offsets[i], 0, -1, 0)
        while True:
            count, cursor = next_shingles(data, cursor, offsets[i + 1], of_words, ngram, tables, scratch)
            if count == 0:
                break
            is_filter_clear = absorb(scratch.hashes, count, multipliers, slots, own, is_filter_clear)
        has_keys[i] = cursor.taken > 0
        write_row(slots, cursor.taken > 0, rows, keys, values, i)
