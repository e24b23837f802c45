"""Nothing is taken of a text: its clusters are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpucurate.dedup.sketch import KeysAndMask
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.warm_up import is_warm, warm_up


@dataclass(frozen=True, slots=True)
class NoSketch:
    """A sketch without keys: the first pass only finds out what is a document, and its rank."""

    @property
    def bands(self) -> int:
        """None."""
        return 0

    @property
    def wide(self) -> bool:
        """False."""
        return False

    def keys(self, text: TextBuffers) -> KeysAndMask:
        """No keys."""
        return np.zeros((len(text), 0), np.uint64), np.zeros(len(text), bool)

    def working_bytes(self, documents: int, nbytes: int) -> int:
        """Places of characters to be counted."""
        return 64 * documents + nbytes // 256

    def warm_up(self) -> None:
        """Compile what the passes need besides keys."""
        warm_up()

    def is_warm(self) -> bool:
        """Whether that has been done."""
        return is_warm()

    def __str__(self) -> str:
        return "none: the clusters are there"
