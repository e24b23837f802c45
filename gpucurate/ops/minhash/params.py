"""What a MinHash sketch is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gpucurate.ops.minhash.permutations import nemo_permutations, odd_multipliers
from gpucurate.spec.errors import ConfigurationError

SHINGLE_BASE = 0x9E3779B1
"""Base of the polynomials over code points and over words: a prime near 2^32 / golden ratio."""

MAX_NGRAM = 256
MAX_PERMUTATIONS = 4096

Rule = Literal["affine32", "nvtext32", "nvtext64", "fss"]


@dataclass(frozen=True, slots=True)
class MinHashParams:
    """Shingles, rule, permutations and bands of a sketch.

    Attributes:
        bands: number of bands; documents that agree in all rows of any band are candidates.
        rows: MinHash values per band.
        shingle: n-grams of code points (``"char"``) or of words (``"word"``).
        ngram: length of a shingle in characters or words.
        seed: start of the generator of the permutations.
        rule: how values are made of shingles: ``affine32``, gpucurate's own; ``nvtext32`` or
            ``nvtext64``, exactly the values of cuDF as NeMo Curator calls it, of characters
            only; ``fss``, Fast Similarity Sketching, more exact on short text.

    Raises:
        ConfigurationError: a number is outside its range, a name is unknown, or the rule does
            not go with the shingles.

    Example:
        >>> MinHashParams(bands=14, rows=8, shingle="word", ngram=5).num_permutations
        112
    """

    bands: int = 16
    rows: int = 8
    shingle: Literal["char", "word"] = "char"
    ngram: int = 5
    seed: int = 0
    rule: Rule = "affine32"

    def __post_init__(self) -> None:
        _check("bands", self.bands, 1, MAX_PERMUTATIONS)
        _check("rows", self.rows, 1, MAX_PERMUTATIONS)
        _check("bands x rows", self.num_permutations, 1, MAX_PERMUTATIONS)
        _check("ngram", self.ngram, 1, MAX_NGRAM)
        _check("seed", self.seed, 0, 2**64 - 1)
        if self.shingle not in ("char", "word"):
            raise ConfigurationError(f"shingle={self.shingle!r} is not known: use 'char' or 'word'")
        if self.rule not in get_args(Rule):
            raise ConfigurationError(
                f"rule={self.rule!r} is not known: use one of {', '.join(get_args(Rule))}"
            )
        if self.is_nvtext:
            _check_nvtext(self)

    @property
    def num_permutations(self) -> int:
        """MinHash values per document, K."""
        return self.bands * self.rows

    @property
    def is_nvtext(self) -> bool:
        """Whether the values are those of cuDF."""
        return self.rule in ("nvtext32", "nvtext64")

    @property
    def value_type(self) -> type[np.uint32] | type[np.uint64]:
        """Type of the values of a signature: uint64 of ``nvtext64``, else uint32."""
        return np.uint64 if self.rule == "nvtext64" else np.uint32

    def multipliers(self) -> npt.NDArray[np.uint32]:
        """The odd numbers a_0, a_1, ... of the rules ``affine32`` and ``fss``; uint32, read-only.

        ``a_j`` is the upper half of the j-th number of splitmix64(seed), made odd. There are
        ceil(K/2) for ``affine32``, whose permutation 2j is ``a_j * x`` and 2j+1 is
        ``-a_j * x - 1`` (mod 2^32), and 2K for ``fss``, one a round.
        """
        k = self.num_permutations
        return odd_multipliers(self.seed, 2 * k if self.rule == "fss" else (k + 1) // 2)

    def permutations(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Multipliers a and addends b of the rules of nvtext, K each; read-only.

        uint32 of ``nvtext32``, uint64 of ``nvtext64``. ``a_0`` is the seed of the hash, too.
        """
        return nemo_permutations(self.seed, self.num_permutations, 64 if self.rule == "nvtext64" else 32)


def _check(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigurationError(f"{name} must be a whole number from {low} to {high}; got {value!r}")


def _check_nvtext(params: MinHashParams) -> None:
    """What cuDF and NumPy's RandomState accept."""
    if params.shingle != "char":
        raise ConfigurationError(
            f"rule={params.rule!r} takes shingles of characters; got shingle={params.shingle!r}: "
            "use shingle='char', or rule='affine32' for words"
        )
    _check(f"ngram of rule {params.rule!r}", params.ngram, 2, MAX_NGRAM)
    _check(f"seed of rule {params.rule!r}", params.seed, 0, 2**32 - 1)
