"""Working memory of the sketch: of fixed size, whatever the documents."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.ops.buffers import read_only
from gpucurate.ops.minhash.words import powers
from gpucurate.ops.unicode import unicode_tables
from gpucurate.ops.utf8.cpu import PADDING, PIECE

_ROOM = PIECE + PADDING


class Tables(NamedTuple):
    """What the kernels look up; read-only."""

    class_stage1: npt.NDArray[np.uint16]
    class_stage2: npt.NDArray[np.uint8]
    rising: npt.NDArray[np.uint32]
    falling: npt.NDArray[np.uint32]


class Scratch(NamedTuple):
    """What the kernels write to.

    ``pending`` holds the values (code points, or hashes of words) that are not part of a complete window
    yet; the rest belongs to one piece.
    """

    pending: npt.NDArray[np.uint32]
    even: npt.NDArray[np.uint32]
    odd: npt.NDArray[np.uint32]
    hashes: npt.NDArray[np.uint32]
    piece: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.uint8]
    marks: npt.NDArray[np.uint8]
    points: npt.NDArray[np.uint32]
    sums: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.uint32]


@cache
def lookup_tables() -> Tables:
    """The tables."""
    unicode = unicode_tables()
    rising, falling = powers(_ROOM)
    return Tables(
        read_only(unicode.class_stage1, np.uint16),
        read_only(unicode.class_stage2, np.uint8),
        read_only(rising, np.uint32),
        read_only(falling, np.uint32),
    )


def scratch_for(ngram: int) -> Scratch:
    """Working memory of one call; about 40 KB."""

    def words(count: int) -> npt.NDArray[np.uint32]:
        return np.empty(count, np.uint32)

    windows = 2 * _ROOM + ngram
    return Scratch(
        pending=words(windows),
        even=words(windows),
        odd=words(windows),
        hashes=words(windows),
        piece=np.zeros(_ROOM, np.uint8),
        classes=np.zeros(_ROOM, np.uint8),
        marks=np.zeros(_ROOM, np.uint8),
        points=words(_ROOM),
        sums=words(_ROOM),
        ends=words(_ROOM),
    )
