"""Row groups of a Parquet file as pieces on a device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.frame.cudf_parquet import RefusedError, read_in_chunks, read_row_group
from gpucurate.frame.device_table import Column, DeviceTable, DeviceValues
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import depart, note_upload
from gpucurate.io.host_work import LeaveToHost
from gpucurate.io.parquet.chunks import Chunk
from gpucurate.io.parquet.pages import checksums_hold
from gpucurate.io.parquet.reader import ParquetReader
from gpucurate.io.piece import Piece
from gpucurate.io.source import ByteSource, LocalSource
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.memory.out_of_memory import device_is_lost, forget, is_out_of_memory
from gpucurate.ops.utf8 import invalid_utf8

AT_ONCE = 4
"""A row group is read at once if it decodes, by the footer, to at most one of so many parts of what is free:
its bytes in the file, decompressed and decoded are held together."""


class DeviceParquetReader(ParquetReader):
    """As :class:`ParquetReader`, with the same rows and rejects, in tables of the device.

    The bytes of the columns go to the device as they stand in the file. A row group that has anything to
    reject, or a column that is neither text nor numbers, is read by the host's reader. Checksums of pages
    are verified on the host, in files that have any.

    Args:
        memory: of the GPU: a row group that is large for it is read in chunks, and one that does not fit
            by the host.
        given: the arguments of :class:`ParquetReader`; with ``fields``, without originals.
    """

    def __init__(self, *given: Any, memory: GpuMemory, **named: Any) -> None:
        super().__init__(*given, **named)
        self._memory = memory

    def _read_group(
        self, source: ByteSource, file: pq.ParquetFile, group: int, columns: list[str] | None
    ) -> Iterator[Piece]:
        end = self._next_record + int(file.metadata.row_group(group).num_rows)
        try:
            yield from self._on_device(source, file, group, end)
            return
        except LeaveToHost as why:
            cause = str(why)
        except (RefusedError, MemoryError) as error:
            if device_is_lost(error):
                raise
            does_not_fit = is_out_of_memory(error.__cause__ or error)
            cause = f"row groups that {'do not fit the GPU' if does_not_fit else 'libcudf does not read'}"
            forget(error)
            self._memory.release()
        depart(cause, end - self._next_record)
        yield from self._on_host(file, group, columns, end)

    def _on_host(
        self, file: pq.ParquetFile, group: int, columns: list[str] | None, end: int
    ) -> Iterator[Piece]:
        """The records of a row group from the next one on."""
        over = int(file.metadata.row_group(group).num_rows) - (end - self._next_record)
        for table in self._tables(file, group, columns):
            skipped = min(over, table.num_rows)
            over -= skipped
            if skipped < table.num_rows:
                yield self._piece_of(table.slice(skipped))

    def _on_device(self, source: ByteSource, file: pq.ParquetFile, group: int, end: int) -> Iterator[Piece]:
        if not isinstance(source, LocalSource):
            raise LeaveToHost("Parquet that is not a local file")
        kinds = self._kinds(file.schema_arrow)
        if end == self._next_record:
            return
        self._memory.admits(0)
        decoded = self._decoded(source, group, list(kinds))
        short = frozenset(name for name, kind in kinds.items() if pa.types.is_string(kind))
        for table in self._checked(decoded, kinds, end):
            yield self._piece_on_device(DeviceTable(table.columns, len(table), short))
        if self._next_record < end:
            raise LeaveToHost("row groups of fewer rows than their footer says")

    def _kinds(self, schema: pa.Schema) -> dict[str, pa.DataType]:
        """The type of each field, if the device can take them."""
        kinds = {}
        for name in self._fields or ():
            if name not in schema.names:
                raise LeaveToHost(f"files without a column {name}")
            kinds[name] = kind = schema.field(name).type
            if "." in name or not (_is_text(kind) or (_is_number(kind) and name not in self._text_fields)):
                raise LeaveToHost(f"column {name} of {kind}")
        return kinds

    def _decoded(self, source: LocalSource, group: int, names: list[str]) -> Iterator[DeviceTable]:
        """The row group at once, or in chunks."""
        chunks = [chunk for chunk in self._chunks[group] if chunk.path in names]
        if not all(checksums_hold(source, *_pages_of(chunk)) for chunk in chunks):
            raise LeaveToHost("row groups with a page that its checksum does not fit")
        note_upload(sum(chunk.nbytes for chunk in chunks))
        decoded = sum(chunk.decoded for chunk in chunks)
        path, share = source.open_path, self._memory.free // AT_ONCE
        if decoded <= share:
            return iter([read_row_group(path, group, names)])
        return read_in_chunks(path, group, names, chunk_bytes=min(self._piece_bytes, share), pass_bytes=share)

    def _checked(
        self, tables: Iterator[DeviceTable], kinds: dict[str, pa.DataType], end: int
    ) -> Iterator[DeviceTable]:
        """The tables in slices of about ``piece_bytes``, if there is nothing to reject in them."""
        for table in tables:
            if self._next_record + len(table) > end:
                raise LeaveToHost("row groups of more rows than their footer says")
            for name, kind in kinds.items():
                _check(name, table.columns[name], kind, is_text_field=name in self._text_fields)
            longest = max((_longest(table.columns[name]) for name in self._text_fields), default=0)
            if longest > self._limits.max_record_bytes:
                raise LeaveToHost("texts that are too large")
            parts = max(1, min(len(table), -(-table.nbytes // self._piece_bytes)))
            rows = max(1, -(-len(table) // parts))
            for first in range(0, len(table), rows):
                yield table.slice(first, min(first + rows, len(table)))
            del table  # before the next one is decoded

    def _piece_on_device(self, table: DeviceTable) -> Piece:
        first = self._next_record
        self._next_record += len(table)
        records = first + np.arange(len(table), dtype=np.int64)
        return Piece(self._range, first, len(table), 0, table, records, [], None)


def _check(name: str, column: Column, kind: pa.DataType, *, is_text_field: bool) -> None:
    """That a column is what the host's reader would make of it, and has nothing to reject."""
    if isinstance(column, TextBuffers) and _is_text(kind):
        if is_text_field and column.valid is not None:
            raise LeaveToHost(f"nulls in column {name}")
        if is_text_field and bool(invalid_utf8(column).any()):
            raise LeaveToHost(f"bytes in column {name} that are no UTF-8")
    elif not (isinstance(column, DeviceValues) and column.values.dtype == kind.to_pandas_dtype()):
        raise LeaveToHost(f"column {name} of {kind}")


def _longest(column: Column) -> int:
    """Bytes of the longest text."""
    if not isinstance(column, TextBuffers) or not len(column):
        return 0
    return int((column.offsets[1:] - column.offsets[:-1]).max())


def _pages_of(chunk: Chunk) -> tuple[int, int]:
    """Where the pages of a column chunk begin in the file, and their bytes."""
    begin = chunk.dictionary if 0 < chunk.dictionary < chunk.data else chunk.data
    return begin, chunk.nbytes


def _is_text(kind: pa.DataType) -> bool:
    views = kind == pa.string_view()
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or views)


def _is_number(kind: pa.DataType) -> bool:
    is_float = pa.types.is_float32(kind) or pa.types.is_float64(kind)
    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind) or is_float)
