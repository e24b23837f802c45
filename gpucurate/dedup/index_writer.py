"""Writes the files of an index; what makes them an index is ``index.json``, which others write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from gpucurate.dedup.index import IndexFile
from gpucurate.dedup.index_digest import content_name
from gpucurate.dedup.index_origins import OriginsWriter
from gpucurate.dedup.index_piece import STEP, Piece, TracedPiece
from gpucurate.dedup.key_file import KeyFileWriter, Layout
from gpucurate.spec.storage import storage_errors

DOCUMENTS_A_FILE = 1 << 20
_MAKING = ".making"


class IndexWriter:
    """Writes documents to files that are called by what they hold.

    Args:
        folder: of the index, which exists.
        documents_a_file: about so many.

    >>> with IndexWriter(folder) as writer:
    ...     writer.add(piece, origins)
    ...     files = writer.finish()
    """

    def __init__(self, folder: Path, documents_a_file: int = DOCUMENTS_A_FILE) -> None:
        self._folder = folder
        self._limit = documents_a_file
        self._held: list[TracedPiece] = []
        self._open: _OpenFile | None = None
        self._files: list[IndexFile] = []

    def add(self, piece: Piece, origins: pa.Table) -> None:
        """Add documents.

        Args:
            piece: their keys.
            origins: where they come from, in the same order.

        Raises:
            StorageError: not possible.
        """
        self._held.append(TracedPiece(piece, origins))
        if sum(len(held.piece.lengths) for held in self._held) >= STEP:
            self._write()

    def finish(self) -> list[IndexFile]:
        """Write what is held; the files of everything that was added, in order, synced.

        Raises:
            StorageError: not possible.
        """
        self._write()
        self._close()
        return self._files

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            self._open.abandon()

    def _write(self) -> None:
        """Small pieces, of which tiny input files give one each, become one block."""
        if not self._held:
            return
        piece = Piece.joined([held.piece for held in self._held])
        if self._open is None:
            self._open = _OpenFile(self._folder / _MAKING, _layout(piece))
        self._open.append(piece, [held.origins for held in self._held])
        self._held = []
        if self._open.documents >= self._limit:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._files.append(self._open.finish())
            self._open = None


class _OpenFile:
    """One pair of files while it is written, under names of its own."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._paths = path.with_name(f"{path.name}.keys"), path.with_name(f"{path.name}.parquet")
        self._layout = layout
        self._keys = KeyFileWriter(self._paths[0], layout)
        self._origins = OriginsWriter(self._paths[1])
        self.documents = 0

    def append(self, piece: Piece, origins: Sequence[pa.Table]) -> None:
        count = len(piece.lengths)
        ids = np.arange(count, dtype=np.uint32)
        self._keys.append(count, ids, piece.keys.T, piece.lengths, signatures=piece.signatures)
        for table in origins:
            self._origins.append(table)
        self.documents += count

    def finish(self) -> IndexFile:
        size = self._keys.close()
        self._origins.close()
        name = content_name(self._paths)
        for path in self._paths:
            with storage_errors(path):
                path.replace(path.with_name(name + path.suffix))
        return IndexFile(name, self.documents, size, self._layout.signature_values)

    def abandon(self) -> None:
        self._keys.abandon()
        self._origins.abandon()


def _layout(piece: Piece) -> Layout:
    if piece.signatures is None:
        return Layout(len(piece.keys))
    return Layout(len(piece.keys), piece.signatures.shape[1], piece.signatures.dtype.itemsize)
