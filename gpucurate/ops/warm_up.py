"""Compile all CPU kernels before they are needed, so that workers only load them."""

from __future__ import annotations

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash.params import MinHashParams


def warm_up(params: MinHashParams | None = None) -> None:
    """Compile the operations that deduplication needs for the CPU, or load them from the cache.

    Takes some ten seconds the first time, and again after an upgrade; a fraction of a second later.
    Call it before worker processes start: they find what it left on disk. Rules of MinHash other than that
    of ``params``, and ``ops.jaccard``, are compiled when they are first used.

    Args:
        params: of the sketch; None for the default.
    """
    from gpucurate.ops.char_length import char_length
    from gpucurate.ops.document_hash import DocumentHasher, document_hash
    from gpucurate.ops.grouping import sort_hashes
    from gpucurate.ops.minhash import band_keys
    from gpucurate.ops.normalize import normalize
    from gpucurate.ops.union_find import flatten, hook_pairs, hook_runs, hook_runs128, new_parents

    text = normalize(TextBuffers.from_strings(["One two", "ONE Two", "é"]))
    char_length(text)
    band_keys(text, params or MinHashParams())
    DocumentHasher().digest()
    ids, parents = np.arange(len(text), dtype=np.uint32), new_parents(len(text))
    high, low, ids = sort_hashes(document_hash(text), ids)
    hook_runs(high, ids, parents)
    hook_runs128(high, low, ids, parents)
    hook_pairs(ids, ids, parents)
    flatten(parents)


def is_warm(params: MinHashParams | None = None) -> bool:
    """Whether the largest kernels are on disk already, so that ``warm_up`` will be quick.

    Args:
        params: as of ``warm_up``.
    """
    from gpucurate.ops.compiled import is_cached
    from gpucurate.ops.minhash.cpu import is_compiled
    from gpucurate.ops.union_find.cpu import _flatten

    return is_compiled(params or MinHashParams()) and is_cached(_flatten)  # the last that is compiled
