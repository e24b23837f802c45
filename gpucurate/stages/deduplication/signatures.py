"""From text to keys and whole signatures on disk: for pairs to be compared by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import Layout, Signatures
from gpucurate.dedup.sketch import MinHashSketch
from gpucurate.frame.text import TextBuffers
from gpucurate.stages.deduplication.keys import DocumentKeys
from gpucurate.stages.deduplication.taken import Keys


class DocumentSignatures(DocumentKeys):
    """Takes the keys of each document and its signature; arguments as :class:`DocumentKeys`.

    Its sketch must be a :class:`~gpucurate.dedup.sketch.MinHashSketch`.
    """

    name = "document_signatures"
    sketch: MinHashSketch

    @property
    def layout(self) -> Layout:
        """With signatures."""
        params = self.sketch.params
        size = np.dtype(params.value_type).itemsize
        return replace(super().layout, signature_values=params.num_permutations, signature_bytes=size)

    def take(self, text: TextBuffers) -> tuple[Keys, npt.NDArray[np.bool_], Signatures]:
        """Keys, whether each document has any, and signatures."""
        return self.sketch.keys_and_signatures(text)
