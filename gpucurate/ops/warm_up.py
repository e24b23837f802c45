"""Compile all CPU kernels before they are needed, so that workers only load them."""

from __future__ import annotations

import numpy as np

from gpucurate.frame.text import TextBuffers


def warm_up() -> None:
    """Compile every operation for the CPU, or load it from the cache.

    Takes some ten seconds the first time, and again after an upgrade; a fraction of a second later.
    Call it before worker processes start: they find what it left on disk.
    """
    from gpucurate.ops.char_length import char_length
    from gpucurate.ops.document_hash import DocumentHasher, document_hash
    from gpucurate.ops.grouping import sort_hashes
    from gpucurate.ops.minhash import MinHashParams, band_keys
    from gpucurate.ops.normalize import normalize
    from gpucurate.ops.union_find import flatten, hook_pairs, hook_runs, hook_runs128, new_parents

    text = normalize(TextBuffers.from_strings(["One two", "ONE Two", "é"]))
    char_length(text)
    band_keys(text, MinHashParams())
    DocumentHasher().digest()
    ids, parents = np.arange(len(text), dtype=np.uint32), new_parents(len(text))
    high, low, ids = sort_hashes(document_hash(text), ids)
    hook_runs(high, ids, parents)
    hook_runs128(high, low, ids, parents)
    hook_pairs(ids, ids, parents)
    flatten(parents)


def is_warm() -> bool:
    """Whether the largest kernel is on disk already, so that ``warm_up`` will be quick."""
    from gpucurate.ops.compiled import is_cached
    from gpucurate.ops.minhash.cpu import sketch_documents

    return is_cached(sketch_documents)
