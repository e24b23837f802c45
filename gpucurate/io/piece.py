"""What a reader hands over: the fields asked for, and the untouched records behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.frame.arrays import array_of
from gpucurate.frame.row_bytes import row_bytes
from gpucurate.frame.table import Table
from gpucurate.spec.reject import Reject
from gpucurate.spec.source import FileRange

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LinesOriginal:
    """The bytes of accepted JSON lines, as they stand in the (decompressed) file.

    A line is without its end: LF or CR LF, both of which a sink writes as LF. A byte
    order mark at the start of the file is not part of the first line.

    Attributes:
        data: uint8, the bytes of the piece; shared by all selections of it.
        starts: int64[n], first byte of each line in ``data``, ascending.
        stops: int64[n], end of each line, exclusive.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def nbytes(self) -> int:
        """Bytes of the lines, a newline each included."""
        size = int((self.stops - self.starts).sum())
        return size + len(self)

    def select(self, mask: Mask) -> LinesOriginal:
        """The lines where ``mask`` (bool[n]) is true, in order."""
        return LinesOriginal(self.data, self.starts[mask], self.stops[mask])

    def slice(self, first: int, stop: int) -> LinesOriginal:
        """Lines ``first`` to ``stop``, over the same bytes."""
        return LinesOriginal(self.data, self.starts[first:stop], self.stops[first:stop])

    def sizes(self) -> npt.NDArray[np.float64]:
        """Bytes of each line, its newline included: float64[n]."""
        return (self.stops - self.starts + 1).astype(np.float64)

    def joined(self, others: Sequence[LinesOriginal]) -> LinesOriginal:
        """These lines and those of others, in order; over the same bytes where they share a piece."""
        parts = [self, *others]
        if all(part.data is self.data for part in parts):
            return LinesOriginal(self.data, *_concatenated(parts, [0] * len(parts)))
        sizes = [len(part.data) for part in parts]
        firsts = [sum(sizes[:i]) for i in range(len(parts))]
        return LinesOriginal(np.concatenate([p.data for p in parts]), *_concatenated(parts, firsts))

    def line(self, i: int) -> bytes:
        """The bytes of line ``i``; for tests and messages, not for loops."""
        return self.data[self.starts[i] : self.stops[i]].tobytes()


@dataclass(frozen=True, slots=True)
class TableOriginal:
    """The rows of a Parquet file with all their columns.

    Attributes:
        table: n rows.
    """

    table: pa.Table

    def __len__(self) -> int:
        rows: int = self.table.num_rows
        return rows

    @property
    def nbytes(self) -> int:
        """Bytes of the Arrow buffers that the rows refer to."""
        nbytes: int = self.table.nbytes
        return nbytes

    def select(self, mask: Mask) -> TableOriginal:
        """The rows where ``mask`` (bool[n]) is true, in order."""
        return TableOriginal(self.table.filter(array_of(mask)))

    def slice(self, first: int, stop: int) -> TableOriginal:
        """Rows ``first`` to ``stop``, over the same memory."""
        return TableOriginal(self.table.slice(first, stop - first))

    def sizes(self) -> npt.NDArray[np.float64]:
        """Bytes of each row, as estimated: float64[n]."""
        return row_bytes(self.table)

    def joined(self, others: Sequence[TableOriginal]) -> TableOriginal:
        """These rows and those of others, in order."""
        return TableOriginal(frame.concatenate([self.table, *(other.table for other in others)]))


Original: TypeAlias = LinesOriginal | TableOriginal


def _concatenated(
    parts: Sequence[LinesOriginal], firsts: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Starts and stops of all lines, where the bytes of each part begin at its first."""
    starts = [part.starts + first for part, first in zip(parts, firsts, strict=True)]
    stops = [part.stops + first for part, first in zip(parts, firsts, strict=True)]
    return np.concatenate(starts), np.concatenate(stops)


@dataclass(slots=True)
class Piece:
    """Consecutive records of one range.

    Attributes:
        source: the range.
        first_record: index of the piece's first physical record, from the start of the range.
        num_records: physical records, that is lines or Parquet rows: blank and rejected ones
            count, what a file-level reject hides does not.
        num_blank: blank lines among them.
        table: the fields asked for, of the accepted records. Without fields it has no columns
            and so, in Arrow, no rows: ask :attr:`num_rows`.
        records: int64[num_rows], ascending: the physical record of each row, from the start of
            the range.
        rejects: what could not be read; ``line`` is from the start of the range.
        original: the untouched records behind the rows, if they were asked for.
        notes: remarks on the file that cost no record, such as bytes after the end of a gzip.
    """

    source: FileRange
    first_record: int
    num_records: int
    num_blank: int
    table: Table
    records: npt.NDArray[np.int64]
    rejects: list[Reject]
    original: Original | None
    notes: list[str] = field(default_factory=list)

    @property
    def num_rows(self) -> int:
        """Accepted records: ``num_records - num_blank -`` rejects that have a line."""
        return len(self.records)

    @property
    def nbytes(self) -> int:
        """Bytes of the table and of the original records."""
        held = self.original.nbytes if self.original is not None else 0
        return held + frame.nbytes(self.table)
