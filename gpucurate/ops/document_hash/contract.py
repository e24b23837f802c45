"""The 128-bit hash of a document: definition.

The bytes are cut into chunks of 64 KiB, and each chunk into 64-bit little-endian words w_0, w_1,
..., the last one padded with zeros. All arithmetic is modulo 2^64:

    chunk:     A = sum_j mixA(w_j + (j+1) * SALT_A),   B = sum_j mixB(w_j ^ (j+1) * SALT_B)
    document:  X = sum_i mixA(A_i + (i+1) * SALT_A),   Y = sum_i mixB(B_i ^ (i+1) * SALT_B)
    hash:      (mixA(X + (length+1) * SALT_A), mixB(Y + (length+1) * SALT_B))

mixA is MurmurHash3's 64-bit finaliser, mixB that of splitmix64. The sums do not depend on an
order: words may go to any lanes and chunks to any blocks, and a document of one chunk
follows the same rule. It is not a cryptographic hash.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.dispatch import implementation

CHUNK = 65536
"""Bytes in a chunk."""

SALT_A = 0x9E3779B97F4A7C15
SALT_B = 0xC2B2AE3D27D4EB4F


def document_hash(text: TextBuffers) -> npt.NDArray[np.uint64]:
    """The hash of each document; equal documents have equal hashes.

    Args:
        text: n documents.

    Returns:
        uint64 of shape (n, 2), C-contiguous. (0, 0) for null; ask ``text.valid`` to tell it apart.
    """
    hashes: npt.NDArray[np.uint64] = implementation(__package__, text.data).document_hash(text)
    return hashes
