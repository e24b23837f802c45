"""Arrow columns of JSON values whose types need not agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
_EXACT_IN_DOUBLE = 2**53


def column_of(values: Sequence[Any]) -> pa.Array:
    """One column of JSON values, ``None`` for null and missing.

    - one type throughout: large_string, bool, int64 (uint64 if needed), double;
    - integers and fractions: double where no integer loses a digit;
    - arrays or objects throughout: an Arrow list or struct where one fits all of them
      (a key that is absent becomes null), else JSON text;
    - any other mixture, and integers beyond 64 bits: strings, in which a string stays as it is
      and other values are their JSON text;
    - nothing but nulls: Arrow's null type.
    """
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.nulls(len(values))
    if kinds == {str}:
        return pa.array(values, pa.large_string())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {float}:
        return pa.array(values, pa.float64())
    if kinds == {int}:
        return _integers(values)
    if kinds == {int, float} and all(abs(v) <= _EXACT_IN_DOUBLE for v in values if type(v) is int):
        return pa.array(values, pa.float64())
    if kinds <= {dict, list}:
        return _nested(values)
    return _as_text(values)


def _integers(values: Sequence[Any]) -> pa.Array:
    present = [v for v in values if v is not None]
    low, high = min(present), max(present)
    if low in _INT64 and high in _INT64:
        return pa.array(values, pa.int64())
    if low in _UINT64 and high in _UINT64:
        return pa.array(values, pa.uint64())
    return _as_text(values)


def _nested(values: Sequence[Any]) -> pa.Array:
    try:
        column = pa.array(values)
        return _as_text(values) if "double" in str(column.type) and _is_at_odds(values) else column
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return _as_text(values)


def _is_at_odds(values: Sequence[Any]) -> bool:
    """Whether truth values and numbers share a place: pyarrow takes true for 1.0 beside a fraction."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {list}:
        return _is_at_odds([below for value in values for below in value or ()])
    if kinds != {dict}:
        return bool in kinds and len(kinds) > 1
    below: dict[str, list[Any]] = {}
    for value in values:
        for key, one in (value or {}).items():
            below.setdefault(key, []).append(one)
    return any(map(_is_at_odds, below.values()))


def _as_text(values: Sequence[Any]) -> pa.Array:
    return pa.array([None if v is None else _text(v) for v in values], pa.large_string())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # of any size
    return orjson.dumps(value).decode()
