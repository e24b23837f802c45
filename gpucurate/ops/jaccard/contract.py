"""Exact sizes of intersection and union of two documents' sets of shingles: definitions.

Shingles are the same as of MinHash (``ops.minhash``): windows of n consecutive values, where the
values are code points or words; a document of fewer than n values, but at least one, has one
shingle, all of them. They are compared by a hash of 64 bits, with B = ``BASE64``, modulo 2^64:

    poly(v_1 .. v_m) = v_1 * B^(m-1) + v_2 * B^(m-2) + ... + v_m
    value of a word = fmix64(poly(its code points))
    shingle = max(fmix64(poly(v_1 .. v_n)), 1)

so that of a million shingles no two distinct ones agree but with a probability of 3e-8.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation
from gpucurate.ops.minhash import MinHashParams
from gpucurate.ops.mixing.contract import GOLDEN64
from gpucurate.ops.pairs import check_pairs

BASE64 = GOLDEN64

Rows = npt.NDArray[np.uint32]


def shared_shingles(text: TextBuffers, left: Rows, right: Rows, params: MinHashParams) -> tuple[Rows, Rows]:
    """Count the shingles that two documents share, and those that either has.

    Each set counts a shingle once. Pairs next to each other that have the same left document share
    the work on it: sort pairs by ``left``. The memory needed is bounded, whatever the documents.

    Args:
        text: the documents, as they are to be compared: normalise before if that is wanted.
        left: uint32 of length m, rows of ``text``.
        right: uint32 of length m, rows of ``text``.
        params: of which ``shingle`` and ``ngram`` count.

    Returns:
        common: uint32 of length m, size of the intersection.
        total: uint32 of length m, size of the union; 0 if neither document has a shingle.

    Raises:
        ValueError: lengths differ, or a row is not one of the text.

    Example:
        >>> text = TextBuffers.from_strings(["abcd", "bcde"])
        >>> one, other = np.array([0], np.uint32), np.array([1], np.uint32)
        >>> shared_shingles(text, one, other, MinHashParams(ngram=3))
        (array([1], dtype=uint32), array([3], dtype=uint32))
    """
    check_pairs("shared_shingles", left, right, len(text), "documents")
    common, total = implementation(__package__, text.data).shared_shingles(text, left, right, params)
    return common, total


def jaccard(common: Rows, total: Rows) -> npt.NDArray[np.float64]:
    """Similarity of pairs, float64 of length m; 0 where neither document has a shingle."""
    similarity: npt.NDArray[np.float64] = common / np.maximum(total, 1)  # where the counts lie
    return similarity
