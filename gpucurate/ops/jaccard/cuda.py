"""Exact Jaccard similarity on a CUDA device: ``kernels/shingle_sets.cu``, with a sort in between."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CUDA, Device, chunk_list, class_tables, device_arrays, prefix_sums
from gpucurate.ops.minhash import MinHashParams

BATCH_BYTES = 1 << 28
"""Text of the documents that are compared at a time, about; a batch takes some 40 bytes a byte of it."""


def shared_shingles(
    text: TextBuffers, left: Any, right: Any, params: MinHashParams, device: Device = CUDA
) -> tuple[Any, Any]:
    """See the contract. Two documents of a pair are in memory together, however long."""
    xp = device.xp
    data, offsets = device_arrays(text, device)
    left, right = xp.asarray(left).astype(np.int64), xp.asarray(right).astype(np.int64)
    common, total = xp.empty(len(left), np.uint32), xp.empty(len(left), np.uint32)
    for part in _batches(xp, xp.diff(offsets), left, right):
        documents, places = xp.unique(xp.concatenate([left[part], right[part]]), return_inverse=True)
        sets, begins = _sets(data, offsets[documents], offsets[documents + 1], params, device)
        one, other = xp.split(places.astype(np.int64), 2)
        arguments = sets, begins, one, other, np.int64(len(one)), common[part]
        device.launch("shingle_sets", "shared_hashes", len(one), arguments, options=_options(params))
        sizes = xp.diff(begins)
        total[part] = sizes[one] + sizes[other] - common[part]
    return common, total


def _options(params: MinHashParams) -> tuple[str, ...]:
    return (f"-DOF_WORDS={int(params.shingle == 'word')}",)


def _batches(xp: Any, nbytes: Any, left: Any, right: Any) -> list[slice]:
    """Runs of pairs whose documents have about ``BATCH_BYTES`` together."""
    if not len(left):
        return []
    batch = xp.cumsum(nbytes[left] + nbytes[right]) // BATCH_BYTES
    borders = [0, *(xp.flatnonzero(xp.diff(batch)) + 1).tolist(), len(left)]
    return [slice(*ends) for ends in pairwise(borders)]


def _sets(data: Any, starts: Any, stops: Any, params: MinHashParams, device: Device) -> tuple[Any, Any]:
    """The distinct hashes of each document, ascending, in one array, and where each begins (int64[n+1])."""
    xp = device.xp
    hashes, owners = _hashes(data, starts, stops, params, device)
    order = xp.argsort(hashes, kind="stable")
    order = order[xp.argsort(owners[order], kind="stable")]
    hashes, owners = hashes[order], owners[order]
    is_first = xp.ones(len(hashes), np.bool_)
    is_first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    begins = xp.searchsorted(owners[is_first], xp.arange(len(starts) + 1))
    return hashes[is_first], begins.astype(np.int64)


def _hashes(data: Any, starts: Any, stops: Any, params: MinHashParams, device: Device) -> tuple[Any, Any]:
    """The hashes of all shingles, and the number of the document of each."""
    xp = device.xp
    first, document, total, chunk_bytes = chunk_list(device, stops - starts)
    room = prefix_sums(device, stops - starts)
    hashes = xp.zeros(int(room[-1]), np.uint64)
    arguments = (
        *(data, starts, stops, first, document, np.int64(total), np.int32(chunk_bytes)),
        *class_tables(device),
        np.int32(params.ngram),
        *(room, xp.zeros(len(starts), np.uint32), hashes),
    )
    device.launch("shingle_sets", "shingle_hashes", total, arguments, options=_options(params))
    filled = xp.flatnonzero(hashes)
    return hashes[filled], xp.searchsorted(room, filled, side="right") - 1
