"""What is taken of a text to find its duplicates: band keys, or a hash of all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import Signatures
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.minhash import MinHashParams, band_keys, keys_and_signatures
from gpucurate.ops.normalize import normalize
from gpucurate.ops.version import ALGORITHMS_VERSION
from gpucurate.ops.warm_up import is_warm, warm_up

Keys = npt.NDArray[np.uint64]
KeysAndMask = tuple[Keys, npt.NDArray[np.bool_]]


class Sketch(Protocol):
    """Keys of texts.

    Attributes:
        bands: keys a document.
        wide: whether the keys are the two words of one 128-bit key.
    """

    @property
    def bands(self) -> int: ...  # noqa: D102

    @property
    def wide(self) -> bool: ...  # noqa: D102

    def keys(self, text: TextBuffers) -> KeysAndMask:
        """Keys (uint64[n, bands]) and whether each document has any (bool[n])."""

    def working_bytes(self, documents: int, nbytes: int) -> int:
        """Bytes that a GPU needs at most, beside the text, while keys are taken.

        Args:
            documents: how many.
            nbytes: of their text.
        """

    def warm_up(self) -> None:
        """Compile what deduplication with these keys needs, so that workers only load it."""

    def is_warm(self) -> bool:
        """Whether ``warm_up`` will be quick: what it compiles is on disk."""


@dataclass(frozen=True, slots=True)
class MinHashSketch:
    """MinHash band keys: documents that share one are taken for near-duplicates.

    Attributes:
        params: shingles, permutations, bands.
        normalized: lower case, white space collapsed, before shingles are taken.
        version: of the algorithms; keys of different versions cannot be compared.
    """

    params: MinHashParams
    normalized: bool = True
    version: int = ALGORITHMS_VERSION

    @property
    def bands(self) -> int:
        """Keys a document."""
        return self.params.bands

    @property
    def wide(self) -> bool:
        """False: each key stands alone."""
        return False

    def keys(self, text: TextBuffers) -> KeysAndMask:
        """Band keys; a text without a shingle has none."""
        return band_keys(self.prepared(text), self.params)

    def keys_and_signatures(self, text: TextBuffers) -> tuple[Keys, npt.NDArray[np.bool_], Signatures]:
        """As :meth:`keys`, and the signature of each document: uint32 or uint64[n, K]."""
        return keys_and_signatures(self.prepared(text), self.params)

    def prepared(self, text: TextBuffers) -> TextBuffers:
        """The text that shingles are taken of."""
        return normalize(text) if self.normalized else text

    def working_bytes(self, documents: int, nbytes: int) -> int:
        """The normalised text, signatures twice where they are kept, keys thrice: all, taken, by band."""
        values = self.params.num_permutations * np.dtype(self.params.value_type).itemsize
        each = 2 * values + 3 * 8 * self.bands
        return _text_bytes(documents, nbytes, normalized=self.normalized) + each * documents

    def warm_up(self) -> None:
        """Compile the rule of the sketch, and no other."""
        warm_up(self.params)

    def is_warm(self) -> bool:
        """Whether the rule is on disk."""
        return is_warm(self.params)


@dataclass(frozen=True, slots=True)
class HashSketch:
    """A 128-bit hash of the document: documents that share it are taken for equal.

    Attributes:
        normalized: lower case, white space collapsed, before the hash is taken.
        version: of the algorithms.
    """

    normalized: bool = False
    version: int = ALGORITHMS_VERSION

    @property
    def bands(self) -> int:
        """Two words."""
        return 2

    @property
    def wide(self) -> bool:
        """True: both words must agree."""
        return True

    def keys(self, text: TextBuffers) -> KeysAndMask:
        """Hashes; every text has one, the empty one too."""
        hashes = document_hash(normalize(text) if self.normalized else text)
        return hashes, hashes[:, 0] == hashes[:, 0] if text.valid is None else text.valid

    def working_bytes(self, documents: int, nbytes: int) -> int:
        """The normalised text, hashes twice, and sums of the pieces of long documents."""
        return _text_bytes(documents, nbytes, normalized=self.normalized) + documents * 2 * 16 + nbytes // 128

    def warm_up(self) -> None:
        """Compile."""
        warm_up()

    def is_warm(self) -> bool:
        """Whether that has been done."""
        return is_warm()


def _text_bytes(documents: int, nbytes: int, *, normalized: bool) -> int:
    """Places of documents and of their chunks; of normalised text its bytes too, which may be more."""
    places = 64 * documents + nbytes // 256
    return places + (nbytes + nbytes // 4 + 32 * documents if normalized else 0)
