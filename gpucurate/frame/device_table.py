"""A table whose columns lie on a CUDA device: what flows between GPU stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa

from gpucurate.frame.arrays import array_of, valid_rows, values_of
from gpucurate.frame.device_gather import concatenate_text, take_text
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import array_module, depart, download, is_on_device, upload


@dataclass(frozen=True, slots=True)
class DeviceValues:
    """Numbers or bools of ``n`` rows.

    Attributes:
        values: of one dimension, n entries; what stands under a null is not defined.
        valid: bool[n], False for null; None if nothing is null.
    """

    values: Any
    valid: Any = None

    def __len__(self) -> int:
        return len(self.values)


Column: TypeAlias = TextBuffers | DeviceValues | pa.Array | pa.ChunkedArray


class DeviceTable:
    """Columns by name: text as its buffers, numbers as values, all else as Arrow on the host.

    It is the form in which GPU readers hand over documents, and in which stages of gpucurate's own take
    them; user stages are given cuDF, over the same memory (:mod:`gpucurate.frame.cudf_columns`). Columns
    of lists and structs stay on the host until a stage asks for cuDF: no kernel reads them.

    Args:
        columns: of ``rows`` entries each.
        rows: how many.
        short: text columns that are ``string`` in Arrow, as they came, and not ``large_string``.
    """

    def __init__(self, columns: Mapping[str, Column], rows: int, short: frozenset[str] = frozenset()) -> None:
        self.columns = dict(columns)
        self.rows = rows
        self.short = short

    def __len__(self) -> int:
        return self.rows

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Self:
        """Upload an Arrow table."""
        columns = {name: to_device(table.column(name)) for name in table.column_names}
        short = frozenset(field.name for field in table.schema if pa.types.is_string(field.type))
        return cls(columns, table.num_rows, short)

    def to_arrow(self) -> pa.Table:
        """Download all columns."""
        return pa.Table.from_arrays([self.on_host(name) for name in self.columns], list(self.columns))

    def on_host(self, name: str) -> pa.Array | pa.ChunkedArray:
        """A column as Arrow; ``string`` only where 32 bits hold its offsets."""
        array = to_host(self.columns[name])
        is_short = name in self.short and pa.types.is_large_string(array.type)
        return array.cast(pa.string()) if is_short and array.nbytes < 2**31 else array

    @property
    def nbytes(self) -> int:
        """Bytes of the columns, wherever they lie."""
        return sum(map(_nbytes, self.columns.values()))

    def select(self, names: Sequence[str]) -> DeviceTable:
        """Only these columns, in this order."""
        return DeviceTable({name: self.columns[name] for name in names}, self.rows, self.short)

    def slice(self, first: int, stop: int) -> DeviceTable:
        """Rows ``first`` to ``stop``, over the same memory."""
        sliced = {name: _slice(column, first, stop) for name, column in self.columns.items()}
        return DeviceTable(sliced, stop - first, self.short)

    def assign(self, columns: Mapping[str, Any]) -> DeviceTable:
        """With columns added or replaced: of this module's kinds, or arrays of the device.

        Raises:
            ValueError: one has not ``rows`` entries.
        """
        made = {name: DeviceValues(c) if is_on_device(c) else _column(c) for name, c in columns.items()}
        for name, column in made.items():
            if len(column) != self.rows:
                raise ValueError(f"column {name!r} has {len(column)} entries for {self.rows} rows")
        return DeviceTable({**self.columns, **made}, self.rows, self.short - frozenset(made))

    def take_mask(self, mask: Any) -> DeviceTable:
        """The rows where ``mask`` (bool[rows], on either side) is true, in order."""
        on_device = mask if is_on_device(mask) else None
        on_host = None if is_on_device(mask) else mask
        taken: dict[str, Column] = {}
        for name, column in self.columns.items():
            if isinstance(column, TextBuffers | DeviceValues):
                on_device = upload(on_host) if on_device is None and on_host is not None else on_device
                taken[name] = _take(column, on_device)
            else:
                on_host = download(on_device) if on_host is None else on_host
                taken[name] = column.filter(array_of(on_host))
        return DeviceTable(taken, int(mask.sum()), self.short)


def concatenate_tables(tables: Sequence[DeviceTable]) -> DeviceTable:
    """The rows of tables of the same columns, in order.

    Raises:
        ValueError: the columns are not the same.
    """
    names = list(tables[0].columns)
    if any(list(table.columns) != names for table in tables):
        raise ValueError(f"tables of columns {[list(t.columns) for t in tables]} cannot be joined")
    rows = sum(table.rows for table in tables)
    joined = {name: _joined([t.columns[name] for t in tables]) for name in names}
    return DeviceTable(joined, rows, frozenset.intersection(*(table.short for table in tables)))


def to_device(column: Any) -> Column:
    """An Arrow column, uploaded if it is text, numbers or bools."""
    kind = column.type
    if _is_text(kind):
        return text_to_device(TextBuffers.from_arrow(column))
    if _is_number(kind):
        valid = upload(valid_rows(column)) if column.null_count else None
        return DeviceValues(upload(values_of(column)), valid)
    depart(f"columns of {kind} stay on the host", len(column))
    return column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column)


def to_host(column: Column) -> Any:
    """A column as Arrow."""
    if isinstance(column, TextBuffers):
        return text_to_host(column).to_arrow()
    if isinstance(column, DeviceValues):
        valid = None if column.valid is None else download(column.valid)
        return array_of(download(column.values), valid)
    return column


def text_to_device(text: TextBuffers) -> TextBuffers:
    """The buffers of a text column, uploaded as far as its offsets reach."""
    begin, end = int(text.offsets[0]), int(text.offsets[-1])
    valid = None if text.valid is None else upload(text.valid)
    return TextBuffers(upload(text.data[begin:end]), upload(text.offsets - begin), valid)


def text_to_host(text: TextBuffers) -> TextBuffers:
    """The buffers of a text column, downloaded as far as its offsets reach."""
    if not is_on_device(text.data):
        return text
    offsets = download(text.offsets)
    begin = int(offsets[0])
    valid = None if text.valid is None else download(text.valid)
    return TextBuffers(download(text.data[begin : int(offsets[-1])]), offsets - begin, valid)


def has_buffers(kind: pa.DataType) -> bool:
    """Whether columns of an Arrow type lie on the device: text, numbers and bools."""
    return _is_text(kind) or _is_number(kind)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _column(values: Any) -> Column:
    if isinstance(values, TextBuffers | DeviceValues | pa.Array | pa.ChunkedArray):
        return values
    return DeviceValues(upload(values)) if isinstance(values, np.ndarray) else pa.array(values)


def _take(column: TextBuffers | DeviceValues, mask: Any) -> Column:
    if isinstance(column, TextBuffers):
        return take_text(column, mask)
    return DeviceValues(column.values[mask], None if column.valid is None else column.valid[mask])


def _slice(column: Column, first: int, stop: int) -> Column:
    if isinstance(column, DeviceValues):
        valid = None if column.valid is None else column.valid[first:stop]
        return DeviceValues(column.values[first:stop], valid)
    if isinstance(column, TextBuffers):
        begin, end = int(column.offsets[first]), int(column.offsets[stop])
        valid = None if column.valid is None else column.valid[first:stop]
        return TextBuffers(column.data[begin:end], column.offsets[first : stop + 1] - begin, valid)
    return column.slice(first, stop - first)


def _joined(columns: list[Column]) -> Column:
    texts = [column for column in columns if isinstance(column, TextBuffers)]
    numbers = [column for column in columns if isinstance(column, DeviceValues)]
    if len(texts) == len(columns):
        return concatenate_text(texts)
    if len(numbers) == len(columns):
        return _joined_values(numbers)
    chunks = [chunk for column in map(to_host, columns) for chunk in getattr(column, "chunks", [column])]
    return pa.chunked_array(chunks)


def _joined_values(columns: list[DeviceValues]) -> DeviceValues:
    xp = array_module()
    values = xp.concatenate([column.values for column in columns])
    if all(column.valid is None for column in columns):
        return DeviceValues(values)
    valid = [xp.ones(len(c), bool) if c.valid is None else c.valid for c in columns]
    return DeviceValues(values, xp.concatenate(valid))


def _nbytes(column: Column) -> int:
    if isinstance(column, TextBuffers | DeviceValues):
        arrays: list[Any] = (
            [column.data, column.offsets] if isinstance(column, TextBuffers) else [column.values]
        )
        arrays += [] if column.valid is None else [column.valid]
        return sum(int(array.nbytes) for array in arrays)
    return int(column.nbytes)
