"""What a MinHash sketch is made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from gpucurate.ops.mixing import splitmix64
from gpucurate.spec.errors import ConfigurationError

SHINGLE_BASE = 0x9E3779B1
"""Base of the polynomials over code points and over words: a prime near 2^32 / golden ratio."""

MAX_NGRAM = 256
MAX_PERMUTATIONS = 4096


@dataclass(frozen=True, slots=True)
class MinHashParams:
    """Shingles, permutations and bands of a sketch.

    Attributes:
        bands: number of bands; documents that agree in all rows of any band are candidates.
        rows: MinHash values per band.
        shingle: n-grams of code points (``"char"``) or of words (``"word"``).
        ngram: length of a shingle in characters or words.
        seed: start of the generator of the permutations.

    Raises:
        ConfigurationError: a number is outside its range, or the kind of shingle is unknown.

    Example:
        >>> MinHashParams(bands=14, rows=8, shingle="word", ngram=5).num_permutations
        112
    """

    bands: int = 16
    rows: int = 8
    shingle: Literal["char", "word"] = "char"
    ngram: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        _check("bands", self.bands, 1, MAX_PERMUTATIONS)
        _check("rows", self.rows, 1, MAX_PERMUTATIONS)
        _check("bands x rows", self.num_permutations, 1, MAX_PERMUTATIONS)
        _check("ngram", self.ngram, 1, MAX_NGRAM)
        _check("seed", self.seed, 0, 2**64 - 1)
        if self.shingle not in ("char", "word"):
            raise ConfigurationError(f"shingle={self.shingle!r} is not known: use 'char' or 'word'")

    @property
    def num_permutations(self) -> int:
        """MinHash values per document, K."""
        return self.bands * self.rows

    def multipliers(self) -> npt.NDArray[np.uint32]:
        """The odd numbers a_0, a_1, ... of the permutations, uint32 of length ceil(K/2).

        ``a_j`` is the upper half of the j-th number of splitmix64(seed), made odd. Permutation 2j
        is ``a_j * x``, permutation 2j+1 is ``-a_j * x - 1`` (mod 2^32).
        """
        numbers = islice(splitmix64(self.seed), (self.num_permutations + 1) // 2)
        return np.array([number >> 32 | 1 for number in numbers], np.uint32)


def candidate_probability(jaccard: float, bands: int, rows: int) -> float:
    """Probability that two documents of this Jaccard similarity share a band key: the S-curve.

    Source: J. Leskovec, A. Rajaraman, J. Ullman, "Mining of Massive Datasets", section 3.4.

    Example:
        >>> round(candidate_probability(0.8, bands=16, rows=8), 3)
        0.947
    """
    return float(1.0 - (1.0 - jaccard**rows) ** bands)


def _check(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigurationError(f"{name} must be a whole number from {low} to {high}; got {value!r}")
