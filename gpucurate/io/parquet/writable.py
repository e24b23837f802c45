"""What Arrow holds and Parquet has no type for, as JSON text."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa

MOST_LEVELS = 100
"""Of a schema that pyarrow reads; it writes deeper ones all the same, which nobody can read then."""


def writable(table: pa.Table) -> pa.Table:
    """``table`` with columns as JSON text in which a struct has no fields, or that are nested too deep."""
    for i, field in enumerate(table.schema):
        if _has_empty_struct(field.type) or _levels(field.type) + 1 > MOST_LEVELS:
            table = table.set_column(i, field.name, _as_json(table.column(i)))
    return table


def _has_empty_struct(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind) and not kind.num_fields:
        return True
    return any(_has_empty_struct(kind.field(i).type) for i in range(kind.num_fields))


def _levels(kind: pa.DataType) -> int:
    """Levels of a type in a schema of Parquet: a list is a group with a repeated group in it."""
    below = max((_levels(kind.field(i).type) for i in range(kind.num_fields)), default=0)
    return below + (1 if pa.types.is_struct(kind) or not kind.num_fields else 2)


def _as_json(column: pa.ChunkedArray) -> pa.Array:
    values: list[Any] = column.to_pylist()
    return pa.array([None if v is None else orjson.dumps(v).decode() for v in values], pa.large_string())
