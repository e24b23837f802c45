"""As much of Thrift's compact protocol as the headers and footers of Parquet need.

Everything here raises ``IndexError`` where it goes beyond the data, and ``ValueError`` or
``RecursionError`` where the data cannot be what was expected: nothing is allocated by what it declares.
Source: the Thrift project's description of its compact protocol (thrift-compact-protocol.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

TRUE, FALSE, I8, I16, I64, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 4, 6, 7, 8, 9, 10, 12

_WIDTHS = {TRUE: 0, FALSE: 0, I8: 1, DOUBLE: 8}

Shape: TypeAlias = Mapping[int, Any]
"""Fields of a struct that are wanted, by number: None for a number or bytes, a shape for a struct, and
``[shape]`` or ``[None]`` for a list of them."""


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number, and where what comes after it begins."""
    value = data[at]
    at += 1
    if value < 0x80:
        return value, at
    value, shift = value & 0x7F, 7
    while (byte := data[at]) >= 0x80:
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
    return value | byte << shift, at + 1


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """A signed number, and where what comes after it begins."""
    value, at = read_varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def read_struct(data: bytes, at: int, shape: Shape) -> tuple[dict[int, Any], int]:
    """The wanted fields of a struct that are there, by number, and where what comes after it begins.

    A field of another type than its shape has is left out.
    """
    found: dict[int, Any] = {}
    field = 0
    while (lead := data[at]) != 0:
        at, kind = at + 1, lead & 15
        if lead < 16:
            field, at = read_number(data, at)
        else:
            field += lead >> 4
        if field not in shape:
            at = skip(data, at, kind)
            continue
        value, at = _read(data, at, kind, shape[field])
        if value is not None:
            found[field] = value
    return found, at + 1


def _read(data: bytes, at: int, kind: int, shape: Any) -> tuple[Any, int]:
    if shape is None and I16 <= kind <= I64:
        return read_number(data, at)
    if shape is None and kind == BINARY:
        size, at = read_varint(data, at)
        return data[at : at + size], at + size
    if isinstance(shape, list) and kind == LIST:
        return _read_list(data, at, shape[0])
    if isinstance(shape, Mapping) and kind == STRUCT:
        return read_struct(data, at, shape)
    return None, skip(data, at, kind)


def _read_list(data: bytes, at: int, shape: Any) -> tuple[list[Any], int]:
    count, kind, at = _list_head(data, at)
    values = []
    for _ in range(count):
        value, at = _read(data, at, kind, shape)
        values.append(value)
    return values, at


def _list_head(data: bytes, at: int) -> tuple[int, int, int]:
    lead = data[at]
    count, at = (lead >> 4, at + 1) if lead >> 4 != 15 else read_varint(data, at + 1)
    if count > len(data) - at:  # each element takes a byte at least
        raise ValueError(f"a list of {count:,} elements, and {len(data) - at:,} bytes are left")
    return count, lead & 15, at


def skip(data: bytes, at: int, kind: int) -> int:
    """Behind a field of a struct."""
    if kind == STRUCT:
        return _skip_struct(data, at)
    if kind == BINARY:
        size, at = read_varint(data, at)
        return at + size
    if I16 <= kind <= I64:
        return _skip_varint(data, at)
    if kind in (LIST, SET):
        return _skip_list(data, at)
    if kind in _WIDTHS:
        return at + _WIDTHS[kind]
    raise ValueError(f"a field of type {kind}, which Parquet does not have")


def _skip_struct(data: bytes, at: int) -> int:
    """Most of a footer is skipped here: the common types without another call."""
    while (lead := data[at]) != 0:
        at += 1
        if lead < 16:
            at = _skip_varint(data, at)  # the field's number, where it is far from the last one
        kind = lead & 15
        if I16 <= kind <= I64:
            while data[at] >= 0x80:
                at += 1
            at += 1
        elif kind == BINARY and data[at] < 0x80:
            at += data[at] + 1
        else:
            at = skip(data, at, kind)
    return at + 1


def _skip_list(data: bytes, at: int) -> int:
    count, of, at = _list_head(data, at)
    for _ in range(count):
        if I16 <= of <= I64:
            while data[at] >= 0x80:
                at += 1
            at += 1
        else:
            at = at + 1 if of in (TRUE, FALSE) else skip(data, at, of)
    return at


def _skip_varint(data: bytes, at: int) -> int:
    while data[at] >= 0x80:
        at += 1
    return at + 1
