"""MinHash by the rule ``affine32``, fused with band keys: definitions.

Let x_1, x_2, ... be the shingles of a document, hashed (below). Its signature is

    s_k = min_i (a_k * x_i + b_k mod 2^32),    k = 0 .. K-1

with a_2j odd (``MinHashParams.multipliers``), b_2j = 0, a_{2j+1} = -a_2j, b_{2j+1} = -1. So a
pair of permutations costs one product: s_2j is the minimum of the products, s_{2j+1} the
complement of their maximum. Minimum and maximum of one permutation are as good as the minima of
two (J. Ji et al., "Min-Max Hash for Jaccard Similarity", ICDM 2013).

The hash of a shingle v_1 .. v_n is x = fmix32(sum_i v_i * B^(n-i) mod 2^32) | 1, where v_i are
code points, or the hashes of words: fmix32 of the same polynomial over a word's code points. x is odd, so
that no shingle is a fixed point of the permutations. A document with fewer than n characters
(words) but at least one has one shingle: all of them.

The key of band j is the 64-bit mix of j and of s_{j*rows} .. s_{j*rows+rows-1} (``BAND_STEP``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation
from gpucurate.ops.minhash.params import MinHashParams

BAND_STEP = 0xD6E8FEB86659FD93
"""key = fmix64(band + 1); for each value s: key = (key ^ s) * BAND_STEP, key ^= key >> 32; fmix64."""


def band_keys(
    text: TextBuffers, params: MinHashParams
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """One key a band for each document; equal keys of a band make two documents candidates.

    Args:
        text: n documents, taken as they are: normalise before if that is wanted.
        params: shingles, permutations and bands.

    Returns:
        keys: uint64 of shape (n, bands), C-contiguous; 0 where the document has none.
        has_keys: bool of length n; False for a document without a shingle: null, empty, or, if
            shingles are of words, without a word.
    """
    keys, has_keys = implementation(__package__, text.data).band_keys(text, params)
    return keys, has_keys


def signatures(text: TextBuffers, params: MinHashParams) -> npt.NDArray[np.uint32]:
    """The signature of each document, from which ``band_keys`` derive.

    Returns:
        uint32 of shape (n, K); a document without a shingle has 2^32-1 everywhere.
    """
    found: npt.NDArray[np.uint32] = implementation(__package__, text.data).signatures(text, params)
    return found
