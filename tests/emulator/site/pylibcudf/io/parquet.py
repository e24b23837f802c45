"""Parquet, decoded by pyarrow into columns of libcudf's layout; checksums of pages are not looked at."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pylibcudf.column import Column
from pylibcudf.io.types import SourceInfo, TableWithMetadata
from pylibcudf.table import Table


class ParquetReaderOptions:
    """What to read."""

    def __init__(self) -> None:
        self.source: SourceInfo | None = None
        self.names: list[str] | None = None
        self.groups: list[list[int]] | None = None

    @staticmethod
    def builder(source: SourceInfo) -> ParquetReaderOptionsBuilder:
        """Begin with a source."""
        made = ParquetReaderOptionsBuilder()
        made.options.source = source
        return made

    def set_row_groups(self, row_groups: list[list[int]]) -> None:
        """Of each source."""
        self.groups = row_groups

    def set_column_names(self, col_names: list[str]) -> None:
        """Which columns, in this order."""
        self.names = col_names


class ParquetReaderOptionsBuilder:
    """Options one by one."""

    def __init__(self) -> None:
        self.options = ParquetReaderOptions()

    def column_names(self, col_names: list[str]) -> ParquetReaderOptionsBuilder:
        """Which columns, in this order."""
        self.options.set_column_names(col_names)
        return self

    def build(self) -> ParquetReaderOptions:
        """The options."""
        return self.options


class ChunkedParquetReader:
    """A table in parts of rows that take about so many bytes; at least one."""

    def __init__(
        self,
        options: ParquetReaderOptions,
        stream: Any = None,
        mr: Any = None,
        chunk_read_limit: int = 0,
        pass_read_limit: int = 1024000000,
        parquet_metadatas: Any = None,
    ) -> None:
        self._table, compressed = _decoded(options)
        self._scratch = cupy.zeros(min(compressed, pass_read_limit or compressed), np.uint8)
        self._at, self._begun = 0, False
        parts = -(-self._table.nbytes // chunk_read_limit) if chunk_read_limit else 1
        self._step = max(1, -(-self._table.num_rows // max(1, parts)))

    def has_next(self) -> bool:
        """Whether something is left."""
        return not self._begun or self._at < self._table.num_rows

    def read_chunk(self) -> TableWithMetadata:
        """The next part."""
        part = self._table.slice(self._at, self._step)
        self._at, self._begun = self._at + self._step, True
        return _on_device(part)


def read_parquet(
    options: ParquetReaderOptions, stream: Any = None, mr: Any = None, parquet_metadatas: Any = None
) -> TableWithMetadata:
    """All of it; what the file's bytes take is given back at the end."""
    table, compressed = _decoded(options)
    scratch = cupy.zeros(compressed, np.uint8)
    found = _on_device(table)
    del scratch
    return found


def _decoded(options: ParquetReaderOptions) -> tuple[pa.Table, int]:
    """The columns on the host, and what they take in the file.

    Raises:
        RuntimeError: as libcudf's ``logic_error``.
    """
    assert options.source is not None
    (path,) = options.source.paths
    try:
        file = pq.ParquetFile(path)
        (groups,) = options.groups or [list(range(file.num_row_groups))]
        names = file.schema_arrow.names
        names = names if options.names is None else [name for name in options.names if name in names]
        table = file.read_row_groups(groups, columns=names).select(names)
    except (pa.ArrowException, OSError) as error:
        raise RuntimeError(f"CUDF failure at: reader_impl.cpp: {error}") from None
    chunks = [file.metadata.row_group(g).column(c) for g in groups for c in range(file.metadata.num_columns)]
    return table, sum(c.total_compressed_size for c in chunks if c.path_in_schema.split(".")[0] in names)


def _on_device(table: pa.Table) -> TableWithMetadata:
    columns = [Column.from_arrow(_as_libcudf(column.combine_chunks())) for column in table.columns]
    return TableWithMetadata(Table(columns, table.num_rows), table.column_names)


def _as_libcudf(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Dictionaries are decoded, and bytes are text."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _as_libcudf(array.cast(kind.value_type))
    if pa.types.is_binary(kind):
        return array.view(pa.string())
    if pa.types.is_large_binary(kind) or kind in (pa.string_view(), pa.binary_view()):
        return array.cast(pa.large_binary()).view(pa.large_string())
    return array
