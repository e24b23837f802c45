"""A column, or what lies below one: ``score``, ``metadata.score``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from gpucurate.frame import table as frame
from gpucurate.io.jsonl.columns import column_of


@dataclass(frozen=True, slots=True)
class ColumnPath:
    """Where a value is found in a document.

    Attributes:
        field: column of the table.
        below: keys from there, outermost first; none for the column itself.
    """

    field: str
    below: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.field, *self.below))

    def of(self, table: frame.Table) -> pa.Array:
        """The values, one a row; null where a document has none.

        Objects whose types agree stand in a struct, others as JSON text: readers decide that
        piece by piece, and values are the same either way.
        """
        column = frame.column_as_arrow(table, self.field)
        array = pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0)
        for depth, key in enumerate(self.below):
            if not pa.types.is_struct(array.type):
                return _parsed(array, self.below[depth:])
            if array.type.get_field_index(key) < 0:
                return pa.nulls(len(array))
            array = pc.struct_field(array, key)
        return array


def _parsed(array: pa.Array, keys: tuple[str, ...]) -> pa.Array:
    """Values below the JSON text of objects."""
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return pa.nulls(len(array))
    return column_of([_below(text, keys) for text in array.to_pylist()])


def _below(text: str | None, keys: tuple[str, ...]) -> Any:
    try:
        value = None if text is None else orjson.loads(text)
    except ValueError:
        return None  # a string, and no object
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
