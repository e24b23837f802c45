"""Batches on disk, whole: their columns, the records behind them, and where these come from.

A file is a stream of Arrow IPC with zstd, which any reader of Arrow opens. Beside the columns of the
documents it has what else a batch consists of, under names that no document may have:

    _gpucurate_record       int64, the physical record of each row
    _gpucurate_line         large_binary, the original line of each row, with its LF
    _gpucurate_row.NAME     column NAME of the original row, of Parquet, where it is another than the batch's

What holds for a whole batch is JSON in the metadata of its first record batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.io.batch_header import ROW, header_of, origin_of
from gpucurate.io.jsonl.gather import blocks_of
from gpucurate.io.piece import LinesOriginal, TableOriginal
from gpucurate.io.sink import HashedFile
from gpucurate.ops.document_hash import DocumentHasher
from gpucurate.spec.errors import StorageError
from gpucurate.spec.names import RESERVED_PREFIX, decode_name
from gpucurate.spec.storage import storage_errors
from gpucurate.spec.unit import OutputFile
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.finished import Sync

RECORD = f"{RESERVED_PREFIX}record"
LINE = f"{RESERVED_PREFIX}line"

_BATCH = b"gpucurate"
_MORE = b"+"  # of a batch that Arrow has divided
_LEVEL = 1


class BatchFile:
    """Writes batches of one schema, in order; :meth:`close`, or :meth:`abandon` after an error.

    Args:
        path: of the file.
        schema: of what :func:`to_rows` makes of the batches.

    Raises:
        StorageError: the file cannot be opened.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema, self.rows = path, schema, 0
        self._file = HashedFile(path)
        options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=_LEVEL))
        with storage_errors(path):
            self._stream = pa.ipc.new_stream(pa.PythonFile(self._file, mode="w"), schema, options=options)

    def write(self, rows: pa.Table, header: dict[str, Any]) -> None:
        """Append a batch.

        Raises:
            StorageError: the disk is full, the file cannot be written.
        """
        told = {_BATCH: orjson.dumps(header)}
        with storage_errors(self.path):
            for batch in rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]:
                self._stream.write_batch(batch, custom_metadata=told)
                told = {_BATCH: _MORE}
        self.rows += header["rows"]

    def close(self, sync: Sync, name: str) -> OutputFile:
        """Finish the file and have it synced.

        Args:
            sync: takes it over.
            name: what it will be called.

        Raises:
            StorageError: as for writing.
        """
        with storage_errors(self.path):
            self._stream.close()
        checksum = self._file.sync(sync)
        return OutputFile(name, str(self.path), self.rows, self._file.size, checksum)

    def abandon(self) -> None:
        """Let go of the file, and of the stream, which would else try to end it when it is collected."""
        try:
            self._file.close()
        except StorageError:
            # The file is given up anyway, and the error that led here is the one to see.
            return
        self._stream.close()


def on_host(batch: DocumentBatch) -> DocumentBatch:
    """The batch as a file gives it back: Arrow on the host, each column in one piece."""
    host = batch.moved_to("cpu")
    whole = host._with_rows(frame.to_arrow(host.data).combine_chunks())
    if isinstance(whole._original, TableOriginal):
        whole._original = TableOriginal(whole._original.table.combine_chunks())
    return whole


def to_rows(batch: DocumentBatch) -> tuple[pa.Table, dict[str, Any]]:
    """What a file holds of a batch: a table, and what else is to be known of it.

    Raises:
        TypeError: the batch carries metadata that JSON does not have.
    """
    table: pa.Table = batch.data
    header = header_of(batch)
    columns = {name: table[name] for name in table.column_names}
    if batch.records is not None:
        columns[RECORD] = pa.array(batch.records)
    original: Any = batch._original
    if isinstance(original, LinesOriginal):
        columns[LINE] = _lines(original)
    elif isinstance(original, TableOriginal):
        columns |= _other_columns(original.table, table, header)
    schema = pa.schema(
        [pa.field(name, column.type) for name, column in columns.items()], metadata=table.schema.metadata
    )
    return pa.Table.from_arrays(list(columns.values()), schema=schema), header


def _lines(lines: LinesOriginal) -> pa.Array:
    ends = np.cumsum(lines.stops - lines.starts + 1)
    offsets = np.concatenate((np.zeros(1, np.int64), ends))
    data = np.concatenate([np.empty(0, np.uint8), *blocks_of(lines)])
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(lines), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def _other_columns(original: pa.Table, table: pa.Table, header: dict[str, Any]) -> dict[str, Any]:
    """Columns of the original rows, less those that are in the batch as they were read."""
    header["original"] = original.column_names
    metadata = original.schema.metadata or {}
    header["original_metadata"] = {key.hex(): value.hex() for key, value in metadata.items()}
    header["original_fields"] = original.schema.remove_metadata().serialize().to_pybytes().hex()
    return {
        f"{ROW}{name}": original[name]
        for name in original.column_names
        if name not in table.column_names or not _is_same(table[name], original[name])
    }


def _is_same(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    return bool(one.type == other.type and one.equals(other))


def read_saved(files: tuple[OutputFile, ...]) -> Iterator[DocumentBatch]:
    """The batches of a unit's files, one at a time.

    Raises:
        StorageError: a file is gone, or has other bytes than were written.
    """
    for file in files:
        yield from map(_batch, _pieces(file))


def _pieces(file: OutputFile) -> Iterator[tuple[pa.Table, dict[str, Any]]]:
    stream = pa.ipc.open_stream(_checked(file))
    held: list[pa.RecordBatch] = []
    header: dict[str, Any] | None = None
    for batch, told in stream.iter_batches_with_custom_metadata():
        if told[_BATCH] != _MORE:
            if header is not None:
                yield pa.Table.from_batches(held, stream.schema), header
            held, header = [], orjson.loads(told[_BATCH])
        held.append(batch)
        del batch
    if header is not None:
        yield pa.Table.from_batches(held, stream.schema), header


def _checked(file: OutputFile) -> pa.MemoryMappedFile:
    """A file whose bytes are those that were written: what Arrow reads has no checksum of its own."""
    path, hasher = Path(file.attempt), DocumentHasher()
    with storage_errors(path, "read"):
        source = pa.memory_map(str(path))
    hasher.update(memoryview(source.read_buffer()))
    if hasher.hexdigest() != file.checksum:
        raise StorageError(
            f"{path} of a checkpoint is damaged: it holds other bytes than were written. Remove it, and its "
            "unit is done again from the input"
        )
    source.seek(0)
    return source


def _batch(piece: tuple[pa.Table, dict[str, Any]]) -> DocumentBatch:
    rows, header = piece
    extra = [name for name in rows.column_names if name.startswith(RESERVED_PREFIX)]
    names = [name for name in rows.column_names if name not in extra]
    table = rows.select(names) if names else frame.empty_columns(header["rows"])
    batch = DocumentBatch(
        header["dataset"],
        table,
        decode_name(header["task"]),
        _metadata=header["metadata"],
        _origin=origin_of(header["origin"]),
        records=rows[RECORD].combine_chunks().to_numpy() if RECORD in extra else None,
    )
    if LINE in extra:
        batch._original = _original_lines(rows[LINE].combine_chunks())
    elif header.get("original") is not None:
        batch._original = TableOriginal(_original_table(rows, header))
    batch._changed = frozenset(header["changed"])
    return batch


def _original_lines(column: Any) -> LinesOriginal:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    raw = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return LinesOriginal(raw, ends[:-1].copy(), ends[1:] - 1)


def _original_table(rows: pa.Table, header: dict[str, Any]) -> pa.Table:
    names = header["original"]
    kept = [rows[f"{ROW}{name}" if f"{ROW}{name}" in rows.column_names else name] for name in names]
    fields = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(header["original_fields"])))
    metadata = {
        bytes.fromhex(key): bytes.fromhex(value) for key, value in header["original_metadata"].items()
    }
    if not names:
        return frame.empty_columns(header["rows"])
    return pa.Table.from_arrays(kept, schema=fields.with_metadata(metadata or None))
