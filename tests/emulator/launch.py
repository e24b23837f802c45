"""Calls the project's kernels as their header comments ask."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams
from tests.emulator.backend import Backend

BLOCK = 256
MOST_BLOCKS = 528  # four for each of 132 multiprocessors
CHUNK_BYTES = 2048


def chunk_list(xp: Any, offsets: Any, chunk_bytes: int) -> tuple[Any, Any]:
    """Chunks before each document (int64, n+1), and the document of each chunk (int32)."""
    counts = xp.maximum(-(-xp.diff(offsets) // chunk_bytes), 1)
    first = xp.zeros(len(offsets), np.int64)
    first[1:] = xp.cumsum(counts)
    document = xp.repeat(xp.arange(len(counts), dtype=np.int32), counts.tolist())
    return first, document


def blocks_for(chunks: int) -> int:
    """A persistent grid: a warp for each chunk, as far as the device has room."""
    return min(-(-chunks * 32 // BLOCK), MOST_BLOCKS)


def document_hash(
    backend: Backend, text: TextBuffers, piece_bytes: int = CHUNK_BYTES, blocks: int | None = None
) -> Any:
    """The hashes, uint64 of shape (n, 2), by ``kernels/document_hash.cu``."""
    xp = backend.xp
    data, offsets = xp.asarray(text.data), xp.asarray(text.offsets)
    valid = None if text.valid is None else xp.asarray(text.valid.view(np.uint8))
    first, document = chunk_list(xp, offsets, piece_bytes)
    hashes = xp.full((len(text), 2), 7, np.uint64)
    backend.kernel("document_hash", "document_hash")(
        (blocks or blocks_for(len(document)),),
        (BLOCK,),
        (
            data,
            offsets,
            valid,
            first,
            document,
            np.int64(len(document)),
            np.int32(piece_bytes),
            xp.zeros((len(document), 2), np.uint64),
            xp.zeros(len(text), np.uint32),
            hashes,
        ),
    )
    return backend.to_host(hashes)


def band_keys(
    backend: Backend,
    text: TextBuffers,
    params: MinHashParams,
    chunk_bytes: int = CHUNK_BYTES,
    blocks: int | None = None,
) -> tuple[Any, Any]:
    """Keys, uint64 of shape (n, bands), and signatures, by ``kernels/minhash.cu``."""
    xp = backend.xp
    data, offsets = xp.asarray(text.data), xp.asarray(text.offsets)
    first, document = chunk_list(xp, offsets, chunk_bytes)
    multipliers = xp.asarray(params.multipliers())
    signatures = xp.full((len(text), params.num_permutations), 2**32 - 1, np.uint32)
    keys = xp.full((len(text), params.bands), 7, np.uint64)
    per_lane = min(-(-len(multipliers) // 32), 8)
    kernel = backend.kernel("minhash", "minhash_band_keys", (f"-DLANE_MULTIPLIERS={per_lane}",))
    kernel(
        (blocks or blocks_for(len(document)),),
        (BLOCK,),
        (
            data,
            offsets,
            first,
            document,
            np.int64(len(document)),
            np.int32(chunk_bytes),
            np.int32(params.ngram),
            multipliers,
            np.int32(params.num_permutations),
            np.int32(params.bands),
            np.int32(params.rows),
            signatures,
            xp.zeros(len(text), np.uint32),
            keys,
        ),
    )
    return backend.to_host(keys), backend.to_host(signatures)
