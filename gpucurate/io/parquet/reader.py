"""Row groups of a Parquet file as pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.frame.arrays import array_of
from gpucurate.io.encoding import REPLACED
from gpucurate.io.fingerprint import Fingerprint
from gpucurate.io.limits import ReadLimits
from gpucurate.io.parquet.chunks import Chunk, unsupported_codec
from gpucurate.io.parquet.footer import BadParquetError, chunks_of, open_parquet
from gpucurate.io.parquet.pages import page_bytes
from gpucurate.io.parquet.text import BadText, mended_columns, text_column
from gpucurate.io.parquet.views import without_views
from gpucurate.io.piece import Piece, TableOriginal
from gpucurate.io.source import ByteSource, open_source
from gpucurate.io.urls import redact
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import InputError, one_line
from gpucurate.spec.reject import Reject
from gpucurate.spec.source import FileRange

_MOST_ROWS = 8192
_MOST_ROWS_OF_DICTIONARY = 1024  # which may decode to a thousand times what the footer says
_MOST_OF_DICTIONARY = 256 * MIB  # that such rows may decode to, were all of them its longest value
_AT_A_TIME = 65_536  # rows: they may all be rejects, which are larger than short texts


class ParquetReader:
    """Reads row groups of a Parquet file; iterate it for the pieces.

    Of a row group that cannot be read, each row that is lost is a reject; the other row groups
    are read. Without a footer, the file is one reject without a line.
    """

    def __init__(
        self,
        source: FileRange,
        *,
        fields: Sequence[str] | None,
        text_fields: Sequence[str],
        piece_bytes: int,
        keep_original: bool,
        limits: ReadLimits,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        self._range, self._limits = source, limits
        self._fingerprint = fingerprint
        self._fields, self._text_fields = fields, text_fields
        self._piece_bytes, self._keep_original = piece_bytes, keep_original
        self._next_record = 0
        self._first_row = 0  # of the range, in the file
        self._schema = pa.schema([])
        self._source: ByteSource | None = None
        self._chunks: Sequence[Sequence[Chunk]] = ()  # of each row group

    def __iter__(self) -> Iterator[Piece]:
        with open_source(self._range.file) as source:
            if self._fingerprint is not None:
                self._fingerprint.take_footer(source)
            try:
                file = open_parquet(source)
                columns = self._columns(file)
                self._chunks = chunks_of(source, file)
                codec = unsupported_codec(self._chunks, None if columns is None else set(columns))
                if codec is not None:
                    raise BadParquetError(f"compressed with {codec}, which pyarrow cannot decode")
            except BadParquetError as error:
                # The file's first range speaks for the whole file.
                yield from [self._corrupt(0, str(error))] if self._range.ordinal == 0 else []
                return
            yield from self._read(source, file, columns)

    def _columns(self, file: pq.ParquetFile) -> list[str] | None:
        """Columns to read; None for all."""
        if self._fields is None or self._keep_original:
            return None
        present = set(file.schema_arrow.names)
        return [name for name in self._fields if name in present]

    def _read(self, source: ByteSource, file: pq.ParquetFile, columns: list[str] | None) -> Iterator[Piece]:
        self._source = source
        self._schema = without_views(file.schema_arrow)
        groups = file.metadata.num_row_groups
        start, stop = (0, groups) if self._range.is_whole else (self._range.start, self._range.stop)
        rows = [file.metadata.row_group(i).num_rows for i in range(groups)]
        self._first_row = sum(rows[:start])
        for group in range(start, stop):
            end = self._next_record + rows[group]
            try:
                yield from self._read_group(source, file, group, columns)
            except InputError:
                raise
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                yield from self._lost(end, f"row group {group} cannot be read: {one_line(error)}")

    def _read_group(
        self, source: ByteSource, file: pq.ParquetFile, group: int, columns: list[str] | None
    ) -> Iterator[Piece]:
        """The pieces of a row group; what is raised loses the records that are left."""
        yield from map(self._piece_of, self._tables(file, group, columns))

    def _lost(self, end: int, detail: str) -> Iterator[Piece]:
        """The records up to ``end``, all rejected: how many there are is known from the footer."""
        if self._limits.on_corrupt == "fail":
            row = self._first_row + self._next_record
            raise InputError(f"{redact(self._range.file.path)} is broken at row {row}: {detail}")
        while self._next_record < end:
            lost = range(self._next_record, min(end, self._next_record + _AT_A_TIME))
            rejects = [Reject("bad_parquet", i, self._first_row + i, detail) for i in lost]
            yield self._without_rows(rejects, len(lost))

    def _tables(self, file: pq.ParquetFile, group: int, columns: list[str] | None) -> Iterator[pa.Table]:
        """Slices of a row group of about ``piece_bytes``."""
        if columns == [] or not file.schema_arrow.names:
            yield from self._empty_tables(file.metadata.row_group(group).num_rows)
            return
        held: list[pa.RecordBatch] = []
        batch_rows = self._batch_rows(file, group, columns)
        for batch in file.iter_batches(batch_size=batch_rows, row_groups=[group], columns=columns):
            plain = without_views(batch.schema)
            for part in self._slices(batch if plain == batch.schema else batch.cast(plain)):
                if held and self._is_full(held, part):
                    yield pa.Table.from_batches(held)
                    held = []
                held.append(part)
        if held:
            yield pa.Table.from_batches(held)

    def _is_full(self, held: list[pa.RecordBatch], part: pa.RecordBatch) -> bool:
        rows = sum(b.num_rows for b in held) + part.num_rows
        size: int = sum(b.nbytes for b in held) + part.nbytes
        return bool(rows > _AT_A_TIME) or size > self._piece_bytes

    def _slices(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """``batch`` in slices of equal rows, if it decoded to more than a piece."""
        parts = min(batch.num_rows, -(-batch.nbytes // self._piece_bytes))
        size = -(-batch.num_rows // max(1, parts))
        yield from (batch.slice(at, size) for at in range(0, batch.num_rows, max(1, size)))

    def _empty_tables(self, rows: int) -> Iterator[pa.Table]:
        """Rows without columns, as a column of nulls that nobody asks for."""
        if rows:
            yield pa.table({"": pa.nulls(rows)})

    def _batch_rows(self, file: pq.ParquetFile, group: int, columns: list[str] | None) -> int:
        """Rows that decode to at most a piece, by what the footer says of the columns to be read."""
        rows, wanted = int(file.metadata.row_group(group).num_rows), None if columns is None else set(columns)
        chunks = [chunk for chunk in self._chunks[group] if wanted is None or chunk.column in wanted]
        most = min(
            _MOST_ROWS, self._most_of_dictionaries([chunk for chunk in chunks if chunk.dictionary > 0])
        )
        per_row = sum(chunk.decoded for chunk in chunks) // max(1, rows)
        return max(1, min(most, self._piece_bytes // max(1, per_row)))

    def _most_of_dictionaries(self, chunks: Sequence[Chunk]) -> int:
        """Rows whose values are places in dictionaries: each may be the longest value of one."""
        if not chunks or self._source is None:
            return _MOST_ROWS
        source = self._source
        longest = sum(page_bytes(source, chunk.dictionary) for chunk in chunks)
        return max(1, min(_MOST_ROWS_OF_DICTIONARY, _MOST_OF_DICTIONARY // max(1, longest)))

    def _piece_of(self, table: pa.Table) -> Piece:
        first, rows = self._next_record, table.num_rows
        whole = mended_columns(table) if self._limits.encoding_errors == "replace" else table
        notes = [REPLACED] if whole is not table else []
        table = whole
        selected, bad = self._select(table)
        rejects = [
            Reject(why.reason, first + row, self._first_row + first + row, why.detail, why.snippet)
            for row, why in sorted(bad.items())
        ]
        records = first + np.arange(rows, dtype=np.int64)
        original = TableOriginal(table) if self._keep_original else None
        if bad:
            mask = np.ones(rows, np.bool_)
            mask[list(bad)] = False
            records, selected = records[mask], selected.filter(array_of(mask))
            original = original.select(mask) if original is not None else None
        self._next_record += rows
        return Piece(self._range, first, rows, 0, selected, records, rejects, original, notes)

    def _select(self, table: pa.Table) -> tuple[pa.Table, dict[int, BadText]]:
        """The columns asked for, and by row what is wrong with its text, first field first."""
        names = list(self._fields) if self._fields is not None else self._schema.names
        columns = {name: self._column(table, name) for name in names}
        bad: dict[int, BadText] = {}
        for name in self._text_fields:
            columns[name], of_column = text_column(table, name, self._limits)
            for row, why in of_column.items():
                bad.setdefault(row, why)
        return pa.table(list(columns.values()), names=list(columns)), bad

    def _column(self, table: pa.Table, name: str) -> Any:
        return table[name] if name in table.column_names else pa.nulls(table.num_rows)

    def _corrupt(self, row: int, detail: str) -> Piece:
        if self._limits.on_corrupt == "fail":
            raise InputError(f"{redact(self._range.file.path)} is broken at row {row}: {detail}")
        return self._without_rows([Reject("bad_parquet", None, row, detail)], 0)

    def _without_rows(self, rejects: list[Reject], num_records: int) -> Piece:
        names = list(self._fields or ())
        kinds = [pa.large_string() if name in self._text_fields else pa.null() for name in names]
        table = pa.table([pa.nulls(0, kind) for kind in kinds], names=names)
        original = TableOriginal(self._schema.empty_table()) if self._keep_original else None
        first = self._next_record
        self._next_record += num_records
        none = np.empty(0, np.int64)
        return Piece(self._range, first, num_records, 0, table, none, rejects, original)
