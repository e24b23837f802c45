"""Texts of some documents on disk: one file a unit of work, read by id.

A file holds, in little-endian order and without padding:

    data      uint8             the texts, one after the other
    offsets   int64[m + 1]      where in ``data`` each text begins, and where the last one ends
    records   uint32[m]         whose texts they are, counted from the start of the unit, ascending

followed by m (uint64), the bytes of data (uint64) and the magic number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from gpucurate.disk.crash import reach
from gpucurate.frame.text import TextBuffers
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors
from gpucurate.tasks.finished import Sync, sync_now

MAGIC = b"GCTEXT01"
_TAIL = 24
_LARGEST_READ = 1 << 30

Ids = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]


class TextFileWriter:
    """Writes the texts of one unit.

    Args:
        path: of the file, which is made or replaced.

    Raises:
        StorageError: not possible.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.documents = 0
        self._ends: list[Positions] = [np.zeros(1, np.int64)]
        self._records: list[Ids] = []
        with storage_errors(path):
            self._file: BinaryIO = path.open("wb", buffering=1 << 20)
        reach("texts.after_open")

    def append(self, records: npt.NDArray[np.int64], text: TextBuffers) -> None:
        """Add texts.

        Args:
            records: int64[m], ascending and behind those before.
            text: m documents.

        Raises:
            StorageError: disk full, device error.
        """
        first, last = int(text.offsets[0]), int(text.offsets[-1])
        with storage_errors(self.path):
            self._file.write(np.ascontiguousarray(text.data[first:last]).data)
        self._ends.append(text.offsets[1:] - first + self._ends[-1][-1])
        self._records.append(records.astype(np.uint32))
        self.documents += len(records)

    def close(self, sync: Sync = sync_now) -> int:
        """Write the index, have it synced and closed; bytes of the file."""
        size = int(self._ends[-1][-1])
        index = [np.concatenate(self._ends), np.concatenate([np.zeros(0, np.uint32), *self._records])]
        reach("texts.before_index")
        with storage_errors(self.path):
            for array in (*index, np.array([self.documents, size], np.uint64)):
                self._file.write(array.tobytes())
            self._file.write(MAGIC)
            self._file.flush()
        sync(self._file, self.path)
        return size + sum(array.nbytes for array in index) + _TAIL

    def abandon(self) -> None:
        """Close without an index."""
        with suppress(OSError):  # the error that led here is the one to see
            self._file.close()


class TextFile:
    """Reads texts of one unit.

    Args:
        path: as :class:`TextFileWriter` wrote it.

    Raises:
        StorageError: not a whole file of texts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path, "read"):
            self._file = path.open("rb", buffering=0)
            size = os.fstat(self._file.fileno()).st_size
        tail = np.zeros(_TAIL, np.uint8)
        if size >= _TAIL:
            self._read(tail, size - _TAIL)
        if tail[16:].tobytes() != MAGIC:
            self._file.close()
            raise StorageError(f"{path} is not a whole file of texts")
        documents, self._data_bytes = (int(number) for number in tail[:16].view(np.uint64))
        self._records = self._map(np.uint32, self._data_bytes + 8 * (documents + 1), documents)
        self._offsets = self._map(np.int64, self._data_bytes, documents + 1)

    def _map(self, dtype: type[np.generic], offset: int, count: int) -> npt.NDArray[Any]:
        """A part of the file as an array, of which only what is looked at is read."""
        if not count:
            return np.zeros(0, dtype)
        with storage_errors(self.path, "read"):
            return np.memmap(self.path, dtype, "r", offset, (count,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def places(self, records: npt.NDArray[np.int64]) -> tuple[Positions, Positions]:
        """First and last byte of the texts of these records (ascending): int64[n] each.

        Raises:
            StorageError: a record of which there is no text.
        """
        at = np.searchsorted(self._records, records)
        there = at < len(self._records)
        there[there] = self._records[at[there]] == records[there]
        if not there.all():
            raise StorageError(
                f"{self.path} has no text of record {records[~there][0]:,}: it is of another run"
            )
        return self._offsets[at], self._offsets[at + 1]

    def read(self, starts: Positions, stops: Positions, out: npt.NDArray[np.uint8]) -> None:
        """Texts one after the other into ``out``; neighbours are read together."""
        breaks = np.flatnonzero(starts[1:] != stops[:-1]) + 1
        firsts, lasts = np.concatenate(([0], breaks)), np.concatenate((breaks - 1, [len(starts) - 1]))
        at = 0
        for start, stop in zip(starts[firsts].tolist(), stops[lasts].tolist(), strict=True):
            self._read(out[at : at + stop - start], start)
            at += stop - start

    def _read(self, out: npt.NDArray[np.uint8], offset: int) -> None:
        view = out.data
        while len(view):
            with storage_errors(self.path, "read"):
                count = os.preadv(self._file.fileno(), [view[:_LARGEST_READ]], offset)
            if not count:
                raise StorageError(f"{self.path} ends early: it was changed while the run went on")
            view, offset = view[count:], offset + count


@dataclass(frozen=True, slots=True)
class TextSet:
    """The text files of all units, and the ids that they stand for.

    Attributes:
        paths: one a unit; None for a unit of which no text was taken.
        bases: id of each unit's first record, and the number of records at the end;
            int64[len(paths) + 1].
    """

    paths: Sequence[Path | None]
    bases: npt.NDArray[np.int64]

    def lengths(self, ids: Ids) -> Positions:
        """Bytes of the text of each id (uint32[n], ascending): int64[n].

        Raises:
            StorageError: an id of which there is no text.
        """
        found = np.zeros(len(ids), np.int64)
        for part, file, records in self._files(ids):
            starts, stops = file.places(records)
            found[part] = stops - starts
        return found

    def gather(self, ids: Ids) -> TextBuffers:
        """Texts of the ids (uint32[n], ascending), in memory.

        Raises:
            StorageError: an id of which there is no text, or a file that cannot be read.
        """
        lengths = self.lengths(ids)
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        data = np.empty(int(offsets[-1]), np.uint8)
        for part, file, records in self._files(ids):
            file.read(*file.places(records), data[offsets[part.start] : offsets[part.stop]])
        return TextBuffers(data, offsets)

    def _files(self, ids: Ids) -> Iterator[tuple[slice, TextFile, npt.NDArray[np.int64]]]:
        """Of each unit that has some of the ids: which, its file, and their records in it."""
        edges = np.searchsorted(ids, self.bases)
        for unit in np.flatnonzero(edges[1:] > edges[:-1]).tolist():
            part, path = slice(int(edges[unit]), int(edges[unit + 1])), self.paths[unit]
            if path is None:
                raise StorageError(f"no text was taken of document {ids[part.start]:,}")
            with TextFile(path) as file:
                yield part, file, ids[part].astype(np.int64) - self.bases[unit]
