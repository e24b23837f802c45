"""The finalisers, compiled to be inlined.

The casts matter: numba widens 32-bit products to 64 bits, and a loop stays in 32-bit
vector lanes only where each product is cut back at once.
"""

from __future__ import annotations

import numpy as np

from gpucurate.ops.compiled import kernel
from gpucurate.ops.mixing.contract import (
    FMIX32_A,
    FMIX32_B,
    FMIX64_A,
    FMIX64_B,
    SPLITMIX64_A,
    SPLITMIX64_B,
)

_A32, _B32 = np.uint32(FMIX32_A), np.uint32(FMIX32_B)
_A64, _B64 = np.uint64(FMIX64_A), np.uint64(FMIX64_B)
_SPLIT_A, _SPLIT_B = np.uint64(SPLITMIX64_A), np.uint64(SPLITMIX64_B)
_13, _16, _33 = np.uint32(13), np.uint32(16), np.uint64(33)
_27, _30, _31 = np.uint64(27), np.uint64(30), np.uint64(31)


@kernel
def fmix32(x: np.uint32) -> np.uint32:
    """MurmurHash3's 32-bit finaliser."""
    x = np.uint32(np.uint32(x ^ (x >> _16)) * _A32)
    x = np.uint32(np.uint32(x ^ (x >> _13)) * _B32)
    return np.uint32(x ^ (x >> _16))


@kernel
def fmix64(x: np.uint64) -> np.uint64:
    """MurmurHash3's 64-bit finaliser."""
    x = (x ^ (x >> _33)) * _A64
    x = (x ^ (x >> _33)) * _B64
    return x ^ (x >> _33)


@kernel
def splitmix64_finaliser(x: np.uint64) -> np.uint64:
    """The output function of splitmix64."""
    x = (x ^ (x >> _30)) * _SPLIT_A
    x = (x ^ (x >> _27)) * _SPLIT_B
    return x ^ (x >> _31)
