"""Objects without a key, which Parquet has no type for, as JSON text."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa


def without_empty_structs(table: pa.Table) -> pa.Table:
    """``table`` with columns in which a struct has no fields, however deep, as JSON text."""
    for i, field in enumerate(table.schema):
        if _has_empty_struct(field.type):
            table = table.set_column(i, field.name, _as_json(table.column(i)))
    return table


def _has_empty_struct(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind) and not kind.num_fields:
        return True
    return any(_has_empty_struct(kind.field(i).type) for i in range(kind.num_fields))


def _as_json(column: pa.ChunkedArray) -> pa.Array:
    values: list[Any] = column.to_pylist()
    return pa.array([None if v is None else orjson.dumps(v).decode() for v in values], pa.large_string())
