"""Tasks as bytes in a file, and back without a copy: pickle with its large buffers beside it.

Columns of Arrow are written as IPC streams, of a slice the rows alone, one that two tables share once;
what NumPy holds goes as it lies. On the way back all of them are views of the file's bytes.
"""

from __future__ import annotations

import io
import pickle
from types import FunctionType
from typing import Any, NamedTuple

import cloudpickle
import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.io.jsonl.compact import compact
from gpucurate.io.piece import LinesOriginal
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.task import Task

SMALL = 512
"""Buffers below so many bytes stay in the pickle."""

_ALIGNMENT = 64

_FOUND_BY_NAME = {"builtins", "collections", "gpucurate", "numpy", "pyarrow"}
"""Classes and functions of these packages are there on the other side; of others cloudpickle finds out."""

Span = tuple[int, int]
"""First byte and length."""


class Packed(NamedTuple):
    """Where a task lies: its pickle, and the buffers that this refers to, in order."""

    pickle: Span
    buffers: list[Span]


def pack(task: Task[Any], out: Any) -> Packed:
    """Append a task to a file.

    Args:
        task: on the host.
        out: ``pyarrow.OSFile``, or whatever has its ``write`` and ``tell``.
    """
    raw = io.BytesIO()
    packer = _Packer(raw, out)
    packer.dump(task)
    return Packed(_append(out, raw.getbuffer()), packer.buffers)


def unpack(packed: Packed, data: memoryview) -> Task[Any]:
    """The task, over the bytes of the file."""
    begin, size = packed.pickle
    buffers = [data[at : at + length] for at, length in packed.buffers]
    task: Task[Any] = pickle.loads(data[begin : begin + size], buffers=buffers)
    return task


def _append(out: Any, data: Any) -> Span:
    out.write(bytes(-out.tell() % _ALIGNMENT))
    begin = out.tell()
    out.write(data)
    return begin, memoryview(data).nbytes


class _Written(bytearray):
    """Stands for a buffer that is in the file already.

    Attributes:
        span: where.
    """

    span: Span


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, raw: io.BytesIO, out: Any) -> None:
        super().__init__(raw, protocol=5, buffer_callback=self._set_aside)
        self._out = out
        self._columns: dict[Any, Span] = {}
        self.buffers: list[Span] = []

    def _set_aside(self, buffer: pickle.PickleBuffer) -> bool:
        """Whether the buffer is to stay in the pickle."""
        data = buffer.raw()
        if isinstance(data.obj, _Written):
            self.buffers.append(data.obj.span)
            return False
        if data.nbytes < SMALL:
            return True
        self.buffers.append(_append(self._out, data))
        return False

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, pa.Table):
            return _table, (obj.schema, obj.columns, obj.num_rows)
        if isinstance(obj, pa.ChunkedArray):
            return _column, (self._write(obj),)
        if isinstance(obj, pa.Array):
            return _array, (self._write(pa.chunked_array([obj])),)
        if isinstance(obj, LinesOriginal):
            lines = compact(obj)
            return LinesOriginal, (lines.data, lines.starts, lines.stops)
        if isinstance(obj, DocumentBatch) and type(obj).__getstate__ is DocumentBatch.__getstate__:
            return _blank, (type(obj),), obj.__dict__
        if (
            isinstance(obj, type | FunctionType)
            and (obj.__module__ or "").partition(".")[0] not in _FOUND_BY_NAME
        ):
            return super().reducer_override(obj)
        return NotImplemented

    def _write(self, column: pa.ChunkedArray) -> pickle.PickleBuffer:
        """A column, unless it was written before: of Parquet, rows and whole records share columns."""
        key = str(column.type), *map(_identity, column.chunks)
        if key not in self._columns:
            self._out.write(bytes(-self._out.tell() % _ALIGNMENT))
            begin = self._out.tell()
            table = pa.Table.from_arrays([column], ["_"])
            with pa.ipc.new_stream(self._out, table.schema) as stream:
                stream.write_table(table)
            self._columns[key] = begin, self._out.tell() - begin
        written = _Written()
        written.span = self._columns[key]
        return pickle.PickleBuffer(written)


def _identity(array: pa.Array) -> tuple[Any, ...]:
    addresses = tuple(None if buffer is None else buffer.address for buffer in array.buffers())
    return len(array), array.offset, addresses


def _column(stream: memoryview) -> pa.ChunkedArray:
    return pa.ipc.open_stream(pa.py_buffer(stream)).read_all().column(0)


def _array(stream: memoryview) -> pa.Array:
    return _column(stream).combine_chunks()


def _table(schema: pa.Schema, columns: list[pa.ChunkedArray], rows: int) -> pa.Table:
    return pa.Table.from_arrays(columns, schema=schema) if columns else frame.empty_columns(rows)


def _blank(cls: type[DocumentBatch]) -> DocumentBatch:
    return object.__new__(cls)
