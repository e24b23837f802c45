"""Verified clusters of documents that are all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.comparer import FrameComparer, shingle_similarity, signature_similarity
from gpucurate.dedup.key_runs import KeyRuns, sorted_runs
from gpucurate.dedup.linkage import link
from gpucurate.dedup.memory_clusters import choose_in_memory
from gpucurate.dedup.pair_table import PairTable
from gpucurate.dedup.similarity import Similarities
from gpucurate.dedup.sketch import MinHashSketch
from gpucurate.dedup.survivors import Clusters, Ranks
from gpucurate.dedup.verification import Verification
from gpucurate.dedup.verify import verified_components
from gpucurate.frame.text import TextBuffers

_BATCH_BYTES = 4 << 20


def verify_in_memory(
    text: TextBuffers,
    keys: npt.NDArray[np.uint64],
    has_keys: npt.NDArray[np.bool_],
    *,
    sketch: MinHashSketch,
    verification: Verification,
    ranks: Ranks,
    threads: int,
) -> Clusters:
    """Clusters of documents whose pairs were verified, and the similarity of each to its survivor.

    Args:
        text: n documents.
        keys: uint64[n, bands].
        has_keys: bool[n].
        sketch: that the keys were taken by.
        verification: settings.
        ranks: uint32 or uint64[n], above 0: of a cluster the largest survives, of equals the first.
        threads: comparisons at a time.

    Raises:
        ConfigurationError: 2^32 documents or more.
    """
    comparer = _comparer(text, sketch, verification)
    with Similarities(comparer, PairTable(), threads=threads, batch_bytes=_BATCH_BYTES) as similarities:
        runs = _runs(keys, has_keys)
        verified = verified_components(len(keys), runs, similarities, verification.least)
        return link(verified.labels, partial(choose_in_memory, ranks=ranks), similarities, verification)


def _comparer(text: TextBuffers, sketch: MinHashSketch, verification: Verification) -> FrameComparer:
    if verification.verify == "estimate":
        _, _, signatures = sketch.keys_and_signatures(text)
        sizes = np.full(len(text), signatures.shape[1] * signatures.itemsize, np.int64)
        return FrameComparer(partial(signature_similarity, signatures), sizes)
    prepared = sketch.prepared(text)
    similarity = partial(shingle_similarity, prepared, params=sketch.params)
    return FrameComparer(similarity, np.diff(prepared.offsets))


def _runs(keys: npt.NDArray[np.uint64], has_keys: npt.NDArray[np.bool_]) -> Iterator[KeyRuns]:
    ids = np.flatnonzero(has_keys).astype(np.uint32)
    for band in range(keys.shape[1]):
        yield KeyRuns(*sorted_runs(np.ascontiguousarray(keys[has_keys, band]), ids.copy()))
