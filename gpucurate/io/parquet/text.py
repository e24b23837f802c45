"""Text columns of Parquet as strings, and the rows in which they are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpucurate.frame.arrays import array_of, valid_rows
from gpucurate.io.encoding import mended_text
from gpucurate.io.limits import ReadLimits
from gpucurate.spec.reject import SNIPPET_BYTES, RejectReason


@dataclass(frozen=True, slots=True)
class BadText:
    """Why the text of a row is rejected."""

    reason: RejectReason
    detail: str
    snippet: bytes = b""


def text_column(table: pa.Table, name: str, limits: ReadLimits) -> tuple[Any, dict[int, BadText]]:
    """A column as string or large_string, and by row what is wrong with it.

    string, large_string, string_view, binary, binary_view and dictionaries of them are text; UTF-8
    is checked, or what is not is replaced. Rows that are reported hold null, longer ones than
    ``limits`` allow among them.
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
    faults = _too_large(encoded, name, limits.max_record_bytes)
    if limits.encoding_errors == "replace":
        encoded = _mended(encoded, text)
    else:
        faults = _invalid_rows(encoded, text, name) | faults
    if faults:
        keep = np.ones(rows, np.bool_)
        keep[list(faults)] = False
        encoded = pc.if_else(array_of(keep), encoded, pa.scalar(None, encoded.type))
    return encoded.view(text), bad | faults


def mended_columns(table: pa.Table) -> pa.Table:
    """``table`` with U+FFFD in its columns of strings for what is no UTF-8; the table itself if all is."""
    for i, field in enumerate(table.schema):
        values = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_string(values) or pa.types.is_large_string(values):
            encoded: Any = _encoded(table.column(i))
            text = pa.large_string() if pa.types.is_large_binary(encoded.type) else pa.string()
            whole = _mended(encoded, text)
            if whole is not encoded:
                table = table.set_column(i, field, whole.view(text).cast(field.type))
    return table


def _mended(encoded: Any, text: pa.DataType) -> Any:
    """The bytes with U+FFFD for what is no UTF-8; the very array if there is nothing of the kind."""
    if _is_valid(encoded, text):
        return encoded
    return pa.array([v if v is None else mended_text(v) for v in encoded.to_pylist()], encoded.type)


def _too_large(encoded: Any, name: str, most: int) -> dict[int, BadText]:
    """Rows of more bytes than are allowed."""
    if not len(encoded) or encoded.nbytes <= most:
        return {}
    lengths = pc.fill_null(pc.binary_length(encoded), 0).to_numpy(zero_copy_only=False)
    found = {}
    for row in np.flatnonzero(lengths > most).tolist():
        detail = f"field {name!r} has {lengths[row]} bytes, more than the {most} allowed"
        found[row] = BadText("too_large", detail, encoded[row].as_buffer()[:SNIPPET_BYTES].to_pybytes())
    return found


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
    return {} if _is_valid(encoded, text) else _search_invalid(encoded, name)


def _is_valid(encoded: Any, text: pa.DataType) -> bool:
    try:
        encoded.view(text).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _search_invalid(encoded: Any, name: str) -> dict[int, BadText]:
    found: dict[int, BadText] = {}
    for row, value in enumerate(encoded.to_pylist()):
        try:
            (value or b"").decode()
        except UnicodeDecodeError as error:
            detail = f"field {name!r} is not UTF-8: {error.reason} at byte {error.start}"
            found[row] = BadText("invalid_utf8", detail, value[:SNIPPET_BYTES])
    return found
