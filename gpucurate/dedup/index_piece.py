"""Some of the documents of a key file, as an index takes them over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.dedup.key_file import Block, KeyFile, Signatures

STEP = 1 << 16
"""Documents at a time."""

Wanted = Callable[[int, int], npt.NDArray[np.bool_]]
"""Whether each record of ``first .. stop`` of a unit is wanted."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Keys of some documents.

    Attributes:
        keys: uint64[bands, m].
        lengths: uint32[m], characters plus one.
        signatures: uint32 or uint64[m, values]; None where none are kept.
    """

    keys: npt.NDArray[np.uint64]
    lengths: npt.NDArray[np.uint32]
    signatures: Signatures | None

    @classmethod
    def joined(cls, pieces: Sequence[Self]) -> Self:
        """One piece of several, of which there is at least one."""
        if len(pieces) == 1:
            return pieces[0]
        return cls(
            np.concatenate([piece.keys for piece in pieces], axis=1),
            np.concatenate([piece.lengths for piece in pieces]),
            _joined_signatures([piece.signatures for piece in pieces if piece.signatures is not None]),
        )


@dataclass(frozen=True, slots=True)
class TracedPiece:
    """Keys of some documents, and where these come from: a table of ``index_origins.SCHEMA``."""

    piece: Piece
    origins: pa.Table


def select(file: KeyFile, wanted: Wanted) -> Iterator[tuple[npt.NDArray[np.int64], Piece]]:
    """The wanted documents of a key file, some at a time.

    Yields:
        Their records (int64[m], counted from the start of the unit) and their keys.

    Raises:
        StorageError: the file cannot be read.
    """
    for block, (first_record, lengths) in zip(file.blocks, file.lengths(), strict=True):
        mask = wanted(first_record, first_record + block.records)
        for first in range(0, block.documents, STEP):
            ids = np.empty(min(STEP, block.documents - first), np.uint32)
            file.read_ids(block, ids, first)
            places = ids.astype(np.int64) - first_record
            here = mask[places]
            if here.any():
                piece = Piece(
                    _keys(file, block, first, here),
                    lengths[places[here]],
                    _signatures(file, block, first, here),
                )
                yield ids[here].astype(np.int64), piece


def _joined_signatures(parts: Sequence[Signatures]) -> Signatures | None:
    if not parts:
        return None
    return cast(Signatures, np.concatenate(parts))


def _keys(file: KeyFile, block: Block, first: int, here: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    keys = np.empty((file.layout.bands, int(np.count_nonzero(here))), np.uint64)
    column = np.empty(len(here), np.uint64)
    for band in range(file.layout.bands):
        file.read_keys(block, band, column, first)
        keys[band] = column[here]
    return keys


def _signatures(file: KeyFile, block: Block, first: int, here: npt.NDArray[np.bool_]) -> Signatures | None:
    if not file.layout.signature_values:
        return None
    shape = len(here), file.layout.signature_values
    if file.layout.signature_bytes == 8:
        wide = np.empty(shape, np.uint64)
        file.read_signatures(block, first, wide)
        return wide[here]
    narrow = np.empty(shape, np.uint32)
    file.read_signatures(block, first, narrow)
    return narrow[here]
