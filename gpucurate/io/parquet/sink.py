"""Parquet written row group by row group."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.io.parquet.writable import writable
from gpucurate.io.piece import LinesOriginal
from gpucurate.io.sink import Sink
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.storage import storage_errors

_GROUP_BYTES = 64 * MIB
_GROUP_ROWS = 1_000_000


class ParquetSink(Sink):
    """Row groups of about 64 MiB; the first one decides the columns and their types.

    A column that holds nothing but nulls there is a string column, and one with objects that have
    no key, or nested deeper than Parquet is read, holds JSON text.
    """

    COMPRESSIONS: ClassVar[tuple[str, ...]] = ("zstd", "snappy", "none")

    def __init__(self, path: Path, compression: str) -> None:
        super().__init__(path)
        self._compression = compression
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.Table] = []
        self._held_bytes = self._held_rows = 0

    def write_lines(self, lines: LinesOriginal) -> None:
        """Refused: records of another layout have to be parsed."""
        raise ConfigurationError(f"{self.path}: JSON lines cannot be written as Parquet without being parsed")

    def write_table(self, table: pa.Table) -> None:
        """Append rows."""
        if not table.num_columns:
            return  # of a file that could not be read: it says nothing about columns
        for start in range(0, max(1, table.num_rows), _GROUP_ROWS):
            self._hold(table.slice(start, _GROUP_ROWS))
        self._rows += table.num_rows

    def _hold(self, table: pa.Table) -> None:
        if self._held_rows and (
            self._held_bytes + table.nbytes > _GROUP_BYTES or self._held_rows + table.num_rows > _GROUP_ROWS
        ):
            self._write_group()
        self._held.append(table)
        self._held_bytes += table.nbytes
        self._held_rows += table.num_rows

    def _write_group(self) -> None:
        group = self._fitted(writable(self._joined()))
        self._held, self._held_bytes, self._held_rows = [], 0, 0
        with storage_errors(self.path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(
                    pa.PythonFile(self._file, mode="w"),
                    group.schema,
                    compression=self._compression,
                    write_page_checksum=True,
                )
            if group.num_rows:
                self._writer.write_table(group, row_group_size=group.num_rows)

    def _joined(self) -> pa.Table:
        try:
            return pa.concat_tables(self._held, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ConfigurationError(
                f"{self.path}: columns change their type within the file: {error}"
            ) from error

    def _fitted(self, group: pa.Table) -> pa.Table:
        """``group`` with the columns and types of the file."""
        if self._writer is None:
            return group.cast(pa.schema([_without_null_type(f) for f in group.schema]))
        schema = self._writer.schema
        extra = set(group.column_names) - set(schema.names)
        if extra:
            raise ConfigurationError(f"{self.path}: column {min(extra)!r} appears after the first row group")
        columns: list[Any] = []
        for field in schema:
            if field.name not in group.column_names:
                columns.append(pa.nulls(group.num_rows, field.type))
                continue
            try:
                columns.append(group[field.name].cast(field.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise ConfigurationError(
                    f"{self.path}: column {field.name!r} is {field.type} in earlier rows and "
                    f"{group[field.name].type} in later ones, which do not fit together: {error}"
                ) from error
        return pa.table(columns, schema=schema)

    def abandon(self) -> None:
        """Let go of the file, and of the writer, which would else try to end it when it is collected."""
        super().abandon()
        if self._writer is not None:
            self._writer.close()

    def _finish(self) -> None:
        if self._held or self._writer is None:
            if not self._held:
                self._held = [pa.table({})]
            self._write_group()
        with storage_errors(self.path):
            if self._writer is not None:
                self._writer.close()


def _without_null_type(field: pa.Field) -> pa.Field:
    return field.with_type(pa.large_string()) if pa.types.is_null(field.type) else field
