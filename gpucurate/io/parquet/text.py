"""Text columns of Parquet as strings, and the rows in which they are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.spec.reject import RejectReason


def as_text(name: str, column: Any) -> tuple[Any, list[tuple[int, RejectReason, str]]]:
    """``column`` as string or large_string, and the rows that hold no text, with why.

    string, large_string, string_view, binary and dictionaries of them are text; UTF-8 is
    checked. Rows that are reported hold null.
    """
    decoded = _decoded(column)
    if decoded is None:
        detail = f"field {name!r} is {column.type}, not a string"
        rows: list[tuple[int, RejectReason, str]] = [(i, "wrong_type", detail) for i in range(len(column))]
        return pa.nulls(len(column), pa.large_string()), rows
    nulls = np.flatnonzero(decoded.is_null().to_numpy(zero_copy_only=False))
    bad: list[tuple[int, RejectReason, str]] = [
        (int(i), "null_text", f"field {name!r} is null") for i in nulls
    ]
    invalid = _invalid_rows(decoded)
    if invalid:
        keep = np.ones(len(decoded), np.bool_)
        keep[list(invalid)] = False
        decoded = pa.compute.if_else(pa.array(keep), decoded, None)
        bad += [(i, "invalid_utf8", f"field {name!r} is not UTF-8: {why}") for i, why in invalid.items()]
    text = pa.large_string() if pa.types.is_large_binary(decoded.type) else pa.string()
    return decoded.view(text), sorted(bad)


def _decoded(column: Any) -> Any | None:
    """A binary or large_binary array of the bytes, or None if the column is no text."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _decoded(array.dictionary_decode())
    if pa.types.is_null(kind):
        return pa.nulls(len(array), pa.binary())
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return array.view(pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return array.view(pa.large_binary())
    if kind in (pa.string_view(), pa.binary_view()):
        return array.cast(pa.large_binary())
    return None


def _invalid_rows(array: Any) -> dict[int, str]:
    """Rows that are not UTF-8; none of them is looked at when all are."""
    text = pa.large_string() if pa.types.is_large_binary(array.type) else pa.string()
    try:
        array.view(text).validate(full=True)
    except pa.ArrowInvalid:
        return _search_invalid(array)
    return {}


def _search_invalid(array: Any) -> dict[int, str]:
    found: dict[int, str] = {}
    for i, value in enumerate(array):
        try:
            (value.as_py() or b"").decode()
        except UnicodeDecodeError as error:
            found[i] = f"{error.reason} at byte {error.start}"
    return found


def snippet_of(column: Any, row: int, length: int) -> bytes:
    """The first ``length`` bytes of a value, for a look."""
    value = column[row].as_py()
    if isinstance(value, str):
        value = value[:length].encode()
    return value[:length] if isinstance(value, bytes) else str(value)[:length].encode()


def row_mask(rows: int, rejected: list[int]) -> npt.NDArray[np.bool_]:
    """bool[rows], False where a row was rejected."""
    mask = np.ones(rows, np.bool_)
    mask[rejected] = False
    return mask
