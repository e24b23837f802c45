"""The numbers that the rules draw from a seed."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.ops.mixing import splitmix64


@lru_cache(maxsize=64)
def odd_multipliers(seed: int, count: int) -> npt.NDArray[np.uint32]:
    """The upper halves of the first numbers of splitmix64(seed), made odd; read-only."""
    numbers = islice(splitmix64(seed), count)
    return _frozen(np.array([number >> 32 | 1 for number in numbers], np.uint32))


@lru_cache(maxsize=64)
def nemo_permutations(seed: int, count: int, bits: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Multipliers a and addends b as NeMo Curator 1.x draws them for cuDF's ``minhash``; read-only.

    Alternately from ``numpy.random.RandomState(seed)``, whose stream NumPy keeps as it is: a below
    the Mersenne prime 2^31-1 (of 64 bits: 2^61-1) and at least 1, then b below it and at least 0.
    Source: ``GPUMinHash.generate_seeds`` of nemo_curator/stages/deduplication/fuzzy/minhash.py.

    Args:
        seed: below 2^32.
        count: how many of each.
        bits: 32 or 64.
    """
    dtype = np.uint32 if bits == 32 else np.uint64
    prime = 2**31 - 1 if bits == 32 else 2**61 - 1
    generator = np.random.RandomState(seed)
    drawn = [generator.randint(1 - j % 2, prime, dtype=dtype) for j in range(2 * count)]
    return _frozen(np.array(drawn[::2], dtype)), _frozen(np.array(drawn[1::2], dtype))


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.flags.writeable = False
    return array
