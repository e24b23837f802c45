"""Bijective finalisers of 32 and 64 bits, and splitmix64; all modulo 2^32 or 2^64.

Sources: A. Appleby, MurmurHash3 (public domain), for the finalisers; G. Steele, D. Lea and
C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, for splitmix64.
"""

from __future__ import annotations

from collections.abc import Iterator

FMIX32_A = 0x85EBCA6B
FMIX32_B = 0xC2B2AE35
FMIX64_A = 0xFF51AFD7ED558CCD
FMIX64_B = 0xC4CEB9FE1A85EC53
SPLITMIX64_A = 0xBF58476D1CE4E5B9
SPLITMIX64_B = 0x94D049BB133111EB
GOLDEN64 = 0x9E3779B97F4A7C15
MASK32 = 2**32 - 1
MASK64 = 2**64 - 1


def fmix32(x: int) -> int:
    """MurmurHash3's 32-bit finaliser, a bijection of [0, 2^32)."""
    x = (x ^ (x >> 16)) * FMIX32_A & MASK32
    x = (x ^ (x >> 13)) * FMIX32_B & MASK32
    return x ^ (x >> 16)


def fmix64(x: int) -> int:
    """MurmurHash3's 64-bit finaliser, a bijection of [0, 2^64)."""
    x = (x ^ (x >> 33)) * FMIX64_A & MASK64
    x = (x ^ (x >> 33)) * FMIX64_B & MASK64
    return x ^ (x >> 33)


def splitmix64_finaliser(x: int) -> int:
    """The output function of splitmix64, a bijection of [0, 2^64)."""
    x = (x ^ (x >> 30)) * SPLITMIX64_A & MASK64
    x = (x ^ (x >> 27)) * SPLITMIX64_B & MASK64
    return x ^ (x >> 31)


def splitmix64(seed: int) -> Iterator[int]:
    """The endless sequence of 64-bit numbers that ``seed`` starts."""
    state = seed & MASK64
    while True:
        state = (state + GOLDEN64) & MASK64
        yield splitmix64_finaliser(state)
