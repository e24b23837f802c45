"""Text columns of Parquet as strings, and the rows in which they are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpucurate.frame.arrays import array_of, valid_rows
from gpucurate.spec.reject import SNIPPET_BYTES, RejectReason


@dataclass(frozen=True, slots=True)
class BadText:
    """Why the text of a row is rejected."""

    reason: RejectReason
    detail: str
    snippet: bytes = b""


def text_column(table: pa.Table, name: str) -> tuple[Any, dict[int, BadText]]:
    """A column as string or large_string, and by row what is wrong with it.

    string, large_string, string_view, binary, binary_view and dictionaries of them are text; UTF-8
    is checked. Rows that are reported hold null.
    """
    rows = table.num_rows
    if name not in table.column_names:
        missing = BadText("missing_text", f"the file has no column {name!r}")
        return pa.nulls(rows, pa.large_string()), dict.fromkeys(range(rows), missing)
    encoded = _encoded(table[name])
    if encoded is None:
        wrong = BadText("wrong_type", f"field {name!r} is {table.schema.field(name).type}, not a string")
        return pa.nulls(rows, pa.large_string()), dict.fromkeys(range(rows), wrong)
    null = BadText("null_text", f"field {name!r} is null")
    bad = dict.fromkeys(np.flatnonzero(~valid_rows(encoded)).tolist(), null)
    text = pa.large_string() if pa.types.is_large_binary(encoded.type) else pa.string()
    invalid = _invalid_rows(encoded, text, name)
    if invalid:
        keep = np.ones(rows, np.bool_)
        keep[list(invalid)] = False
        encoded = pc.if_else(array_of(keep), encoded, pa.scalar(None, encoded.type))
    return encoded.view(text), bad | invalid


def _encoded(column: Any) -> Any | None:
    """A binary or large_binary array of the bytes, or None if the column is no text."""
    array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _encoded(array.dictionary_decode())
    if pa.types.is_null(kind):
        return pa.nulls(len(array), pa.binary())
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return array.view(pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return array.view(pa.large_binary())
    if kind in (pa.string_view(), pa.binary_view()):
        return array.cast(pa.large_binary())
    return None


def _invalid_rows(encoded: Any, text: pa.DataType, name: str) -> dict[int, BadText]:
    """Rows that are not UTF-8; one by one only where some row is not."""
    try:
        encoded.view(text).validate(full=True)
    except pa.ArrowInvalid:
        return _search_invalid(encoded, name)
    return {}


def _search_invalid(encoded: Any, name: str) -> dict[int, BadText]:
    found: dict[int, BadText] = {}
    for row, value in enumerate(encoded.to_pylist()):
        try:
            (value or b"").decode()
        except UnicodeDecodeError as error:
            detail = f"field {name!r} is not UTF-8: {error.reason} at byte {error.start}"
            found[row] = BadText("invalid_utf8", detail, value[:SNIPPET_BYTES])
    return found
