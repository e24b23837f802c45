"""MinHash by four rules, fused with band keys: definitions. All numbers are unsigned.

**Shingles** of the rules ``affine32`` and ``fss``. The hash of a shingle v_1 .. v_n is
x = fmix32(sum_i v_i * B^(n-i) mod 2^32) | 1, where v_i are code points, or the hashes of words: fmix32
of the same polynomial over a word's code points. x is odd, so that no shingle is a fixed point of
the permutations. A document with fewer than n characters (words) but at least one has one
shingle: all of them.

**affine32.** s_k = min_i (a_k * x_i + b_k mod 2^32) for k = 0 .. K-1, with a_2j odd
(``MinHashParams.multipliers``), b_2j = 0, a_{2j+1} = -a_2j, b_{2j+1} = -1. So a pair of permutations
costs one product: s_2j is the minimum of the products, s_{2j+1} the complement of their
maximum. Minimum and maximum of one permutation are as good as the minima of two (J. Ji et al.,
"Min-Max Hash for Jaccard Similarity", ICDM 2013). Without a shingle: 2^32-1 everywhere.

**fss.** Fast Similarity Sketching (S. Dahlgaard, M. Knudsen, M. Thorup, FOCS 2017). There are 2K
rounds r with an odd multiplier m_r each (``MinHashParams.multipliers``). In a round each shingle
throws g = fmix32(m_r * x mod 2^32) into one slot:

    r < K:    slot = g * K >> 32 (a product of 64 bits),    f = g * K mod 2^32
    r >= K:   slot = r - K,                                 f = g
    word    = r << 24 | f >> 8                              if r < FSS_LONG_ROUND = 255
            = 255 << 24 | (r - 255) << 11 | f >> 21         otherwise

s_k is the least word thrown into slot k in any round. Words of a round are above those of all
rounds before it, so rounds can stop after the first that leaves no slot empty; and sketches
merge by minimum, of parts of a document or of documents. The last K rounds leave no slot empty.
Two shingles of one slot and round have the same 24 bits of f with a probability of 2^-24, and
never if K >= 256. Rounds from 255 on are reached only by documents of fewer than about K / 20
shingles, for which 11 bits are enough. Without a shingle: 2^32-1 everywhere, which is no word.

**nvtext32, nvtext64.** The values of cuDF's ``Series.str.minhash(seed=a_0, a, b, width=ngram)``
(``minhash64``) as NeMo Curator 1.x calls it, with a_k and b_k of ``MinHashParams.permutations``;
``ngram`` is at least 2. Shingles are windows of ``ngram`` characters, or the whole of a shorter
document. The hash of a shingle is taken of its UTF-8 bytes: h = max(H, 1), where H is
MurmurHash3_x86_32 with seed a_0, or the first word of MurmurHash3_x64_128 with a_0, of 64 bits,
as initial value of both halves of its state.

    nvtext32:   s_k = min_i (a_k * h_i + b_k mod 2^32)
    nvtext64:   s_k = min_i ((a_k * h_i + b_k mod 2^64) mod 2^61-1)

(libcudf writes ``% (2^61-1)`` in both; of 32 bits it changes nothing.) Without a character: 0
everywhere.

**Band keys.** The key of band j is the 64-bit mix of j and of s_{j*rows} .. s_{j*rows+rows-1}
(``BAND_STEP``), of values of 32 or 64 bits alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation
from gpucurate.ops.minhash.params import MinHashParams
from gpucurate.ops.pairs import check_pairs

FSS_LONG_ROUND = 255
"""From this round on a word of ``fss`` has 13 bits for the rounds and 11 for the value."""

BAND_STEP = 0xD6E8FEB86659FD93
"""key = fmix64(band + 1); for each value s: key = (key ^ s) * BAND_STEP, key ^= key >> 32; fmix64."""


def band_keys(
    text: TextBuffers, params: MinHashParams
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """One key a band for each document; equal keys of a band make two documents candidates.

    Args:
        text: n documents, taken as they are: normalise before if that is wanted.
        params: shingles, rule, permutations and bands.

    Returns:
        keys: uint64 of shape (n, bands), C-contiguous; 0 where the document has none.
        has_keys: bool of length n; False for a document without a shingle: null, empty, or, if
            shingles are of words, without a word.
    """
    keys, has_keys = implementation(__package__, text.data).band_keys(text, params)
    return keys, has_keys


def signatures(text: TextBuffers, params: MinHashParams) -> npt.NDArray[Any]:
    """The signature of each document, from which ``band_keys`` derive.

    Returns:
        Of shape (n, K), uint32, or uint64 of the rule ``nvtext64`` (``params.value_type``). A
        document without a shingle has 2^32-1 everywhere, by the rules of nvtext 0.
    """
    found: npt.NDArray[Any] = implementation(__package__, text.data).signatures(text, params)
    return found


def keys_and_signatures(
    text: TextBuffers, params: MinHashParams
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_], npt.NDArray[Any]]:
    """What ``band_keys`` and ``signatures`` return, for the price of one of them."""
    keys, has_keys, values = implementation(__package__, text.data).keys_and_signatures(text, params)
    return keys, has_keys, values


def equal_values(
    signatures: npt.NDArray[Any], left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """Count the values in which the signatures of two documents agree.

    Of K values, count / K estimates the Jaccard similarity, whatever the rule: unbiased, with a
    variance of J (1 - J) / K (``fss``: at most).

    Args:
        signatures: of shape (n, K), uint32 or uint64, of documents that have a shingle.
        left: uint32 of length m, rows of ``signatures``.
        right: uint32 of length m, rows of ``signatures``.

    Returns:
        uint32 of length m.

    Raises:
        ValueError: lengths differ, or a row is not one of the signatures.
    """
    check_pairs("equal_values", left, right, len(signatures), "signatures")
    counts: npt.NDArray[np.uint32] = implementation(__package__, signatures).equal_values(
        signatures, left, right
    )
    return counts
