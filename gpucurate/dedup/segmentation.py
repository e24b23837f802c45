"""Which parts of documents are compared, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.sketch import HashSketch, KeysAndMask
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.segments import (
    GRAINS,
    Grain,
    Segments,
    character_offsets,
    compared_text,
    cut_spans,
    remove_spans,
    split,
)
from gpucurate.ops.version import ALGORITHMS_VERSION
from gpucurate.spec.errors import ConfigurationError, NotOnDeviceError

Scope = Literal["corpus", "document"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

MIN_LENGTH = 20
"""Characters below which a segment is neither compared nor cut, unless told otherwise.

Headings, items of lists, closing brackets and short answers repeat in text that nobody would call
duplicated: cutting them takes the structure out of a page and saves little.
"""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Lines or paragraphs, compared by a 128-bit hash: a sketch whose documents are segments.

    Attributes:
        grain: ``line`` or ``paragraph``.
        min_length: shorter segments are not compared, in characters.
        normalized: lower case, white space collapsed and trimmed, before the hash is taken.
        scope: ``corpus``, or ``document`` for segments to be compared within their document only.
        version: of the algorithms.

    Raises:
        ConfigurationError: a grain, scope or length that there is not.
    """

    grain: Grain
    min_length: int = MIN_LENGTH
    normalized: bool = True
    scope: Scope = "corpus"
    version: int = ALGORITHMS_VERSION

    def __post_init__(self) -> None:
        if self.grain not in GRAINS:
            raise ConfigurationError(f"grain={self.grain!r} is not known: choose {', '.join(GRAINS)}")
        if self.scope not in SCOPES:
            raise ConfigurationError(f"scope={self.scope!r} is not known: choose {', '.join(SCOPES)}")
        if self.min_length < 1:
            raise ConfigurationError(
                f"min_length is {self.min_length}: it must be at least 1, since blank segments are never cut"
            )

    @property
    def bands(self) -> int:
        """Two words."""
        return 2

    @property
    def wide(self) -> bool:
        """True: both words must agree."""
        return True

    def split(self, text: TextBuffers) -> Segments:
        """The segments of documents."""
        return split(text, self.grain, self.min_length)

    def keys(self, text: TextBuffers) -> KeysAndMask:
        """Hashes of segments that stand alone."""
        return HashSketch(self.normalized).keys(text)

    def compared_keys(
        self, text: TextBuffers, segments: Segments, documents: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.uint64]:
        """Keys of the segments that are compared.

        Args:
            text: n documents.
            segments: what :meth:`split` found.
            documents: uint64[n], a number for each document that no other document has.

        Returns:
            uint64[k, 2]. Within the scope of a document, the hash of its number is mixed in, so
            that segments of two documents never share a key.
        """
        hashes, _ = self.keys(compared_text(text, segments))
        if self.scope == "document":
            hashes ^= np.repeat(_hashes(documents), np.diff(segments.compared_firsts()), axis=0)
        return hashes

    def working_bytes(self, documents: int, nbytes: int) -> int:
        """Nothing on a GPU.

        Raises:
            NotOnDeviceError: segments are cut on the CPU.
        """
        raise NotOnDeviceError(f"{documents:,} documents are to be cut into segments on a GPU: use the CPU")

    def warm_up(self) -> None:
        """Compile what cutting segments takes: what an exact deduplication does, and a little more."""
        HashSketch(self.normalized).warm_up()
        text = TextBuffers.from_strings(["one\ntwo"])
        for grain in GRAINS:
            segments = split(text, grain)
            self.compared_keys(text, segments, np.zeros(1, np.uint64))
            spans = cut_spans(text, segments, np.ones(len(segments.compared), np.bool_))
            remove_spans(text, spans)
            character_offsets(text, spans.starts, spans.firsts)

    def is_warm(self) -> bool:
        """Whether that has been done: the last one that is compiled lies on disk."""
        from gpucurate.ops.compiled import is_cached
        from gpucurate.ops.segments.cutting import count_characters

        return HashSketch(self.normalized).is_warm() and is_cached(count_characters)


def _hashes(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The document hash of the eight bytes of each number, little-endian."""
    data = np.ascontiguousarray(numbers, "<u8").view(np.uint8)
    return document_hash(TextBuffers(data, np.arange(0, len(data) + 8, 8, dtype=np.int64)))
