"""Values of a column as numbers on one scale, or as text: the same however a reader typed them.

A JSON column is typed piece by piece: integers here, integers and strings (then all as text)
there. So a string that reads as a number, a date or a truth value is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from gpucurate.frame.text import TextBuffers

Numbers = npt.NDArray[np.float64]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::([0-5]\d|60)(?:[.,](\d{1,9}))?)?\s*"
    r"(Z|z|[+-]\d\d(?::?\d\d)?)?)?)?",
    re.ASCII,
)
_FRACTION = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.ASCII)
_TRUTH = {"true": 1.0, "false": 0.0}
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400


def numbers_of(column: pa.Array) -> Numbers:
    """The values as float64, NaN where there is none.

    Integers and fractions are their nearest double, truth values 1 and 0, dates and times the
    seconds since 1970 in UTC (one without a zone is taken for UTC). Strings count as what they
    read as: a number, ``true`` or ``false``, or a date of ISO 8601 from ``YYYY-MM`` on. Whatever
    else there is has no value.

    >>> numbers_of(pa.array(["7", "1970-01-02", "yes", None])).tolist()
    [7.0, 86400.0, nan, nan]
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return numbers_of(column.dictionary_decode())
    if pa.types.is_boolean(kind):
        return numbers_of(column.cast(pa.uint8()))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _plain(column)
    if pa.types.is_date(kind):
        return _seconds(column.cast(pa.timestamp("ms")))
    if pa.types.is_timestamp(kind):
        return _seconds(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _by_value(column, number_in, np.nan)
    return np.full(len(column), np.nan)


def number_in(text: str) -> float:
    """The number, date or truth value that a text reads as; NaN for none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    found = _DATE.fullmatch(text)
    return _TRUTH.get(text, np.nan) if found is None else _seconds_in(*found.groups())


def _seconds_in(year: str, month: str, day: str | None, *time: str | None) -> float:
    hour, minute, second, fraction, zone = time
    try:
        at = datetime(int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=UTC)
    except ValueError:
        return np.nan  # the 31st of February
    whole = (at.toordinal() - _EPOCH) * _DAY + at.hour * 3600 + at.minute * 60 + int(second or 0)
    whole -= int(_offset(zone).total_seconds())
    return float(whole) + (float(Fraction(int(fraction), 10 ** len(fraction))) if fraction else 0.0)


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)


def _plain(column: pa.Array) -> Numbers:
    if pa.types.is_decimal(column.type) or pa.types.is_float16(column.type):
        column = column.cast(pa.float64())
    missing = _nulls(column)
    zeros = pc.fill_null(column, pa.scalar(0, column.type)) if column.null_count else column
    values: Numbers = zeros.to_numpy(zero_copy_only=False).astype(np.float64)
    values[missing] = np.nan
    return values


def _seconds(column: pa.Array) -> Numbers:
    unit = _UNITS[column.type.unit]
    counts = column.cast(pa.int64())
    filled = (pc.fill_null(counts, 0) if counts.null_count else counts).to_numpy(zero_copy_only=False)
    whole, rest = np.divmod(filled, unit)
    values: Numbers = whole.astype(np.float64) + rest / unit
    values[_nulls(column)] = np.nan
    return values


def texts_of(column: pa.Array) -> list[str | None]:
    """The values as text, one a row: a string as it is, others as JSON writes them.

    A number without a fraction is written as an integer, so that 2024 and 2024.0 are one value.
    Lists and objects are null. A string that is what a reader makes of a number, list or object
    beside strings (``2024.0``, ``[1]``) counts as that: what stands beside a value says nothing of it.

    >>> texts_of(pa.array([2024.0, 0.5, None]))
    ['2024', '0.5', None]
    """
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())  # Python's types have no nanoseconds
    texts: list[str | None] = [None if value is None else text_of(value) for value in column.to_pylist()]
    return texts


def text_buffers_of(column: pa.Array) -> TextBuffers:
    """As :func:`texts_of`, as buffers; without a Python object a row for strings and integers."""
    kind = column.type
    if pa.types.is_integer(kind):
        return TextBuffers.from_arrow(column.cast(pa.string()))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return TextBuffers.from_arrow(column)
    return TextBuffers.from_strings(texts_of(column))


def text_of(value: Any) -> str | None:
    """One value as :func:`texts_of` has it."""
    if isinstance(value, str):
        return _text_in(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return None if isinstance(value, list | dict | bytes) else str(value)


def _text_in(text: str) -> str | None:
    """A string, unless it may be what a reader made of a fraction, a list or an object."""
    if text[:1] in ("[", "{") and _is_json(text):
        return None
    if _FRACTION.fullmatch(text) and not text.lstrip("-").isdigit():
        value = float(text)
        if orjson.dumps(value) == text.encode():
            return text_of(value)
    return text


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def distinct(column: pa.Array) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """The distinct values of a column, and for each row the place of its value; -1 for null."""
    if pa.types.is_nested(column.type) or pa.types.is_null(column.type):
        return pa.nulls(0, pa.string()), np.full(len(column), -1, np.int64)
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    places = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary, places


def _by_value(column: pa.Array, value_of: Callable[[str], float], missing: float) -> Numbers:
    values, places = distinct(column)
    found = np.array([*(value_of(text) for text in values.to_pylist()), missing])
    numbers: Numbers = found[places]  # the last one for -1
    return numbers


def _nulls(column: pa.Array) -> npt.NDArray[np.bool_]:
    nulls: npt.NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return nulls
