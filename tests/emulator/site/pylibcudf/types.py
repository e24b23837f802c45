"""Types of columns."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import pyarrow as pa

_NAMES = "EMPTY INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64 FLOAT32 FLOAT64 BOOL8 TIMESTAMP_DAYS "
_NAMES += "TIMESTAMP_SECONDS TIMESTAMP_MILLISECONDS TIMESTAMP_MICROSECONDS TIMESTAMP_NANOSECONDS "
_NAMES += "DURATION_DAYS DURATION_SECONDS DURATION_MILLISECONDS DURATION_MICROSECONDS DURATION_NANOSECONDS "
_NAMES += "DICTIONARY32 STRING LIST DECIMAL32 DECIMAL64 DECIMAL128 STRUCT NUM_TYPE_IDS"

TypeId = IntEnum("TypeId", _NAMES, start=0)
"""In libcudf's order."""

NUMBERS = {
    getattr(TypeId, np.dtype(kind).name.upper().replace("BOOL", "BOOL8")): np.dtype(kind)
    for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?")
}
"""Types whose values lie in the column's own data."""


class DataType:
    """A type with the scale of a decimal."""

    def __init__(self, type_id: TypeId, scale: int = 0) -> None:
        self._id, self._scale = type_id, scale

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and (self._id, self._scale) == (other._id, other._scale)

    __hash__ = None  # type: ignore[assignment]

    def id(self) -> TypeId:
        """Which it is."""
        return self._id

    def scale(self) -> int:
        """Of a decimal."""
        return self._scale


def type_of_numbers(kind: np.dtype) -> DataType:
    """The type of an array of numbers or bools.

    Raises:
        ValueError: libcudf has none.
    """
    for type_id, known in NUMBERS.items():
        if known == kind:
            return DataType(type_id)
    raise ValueError(f"Unsupported dtype: {kind.str[1:]}")


def type_of_others(kind: pa.DataType) -> DataType:
    """Of Arrow types that are neither text nor numbers."""
    if pa.types.is_struct(kind):
        return DataType(TypeId.STRUCT)
    if pa.types.is_nested(kind):
        return DataType(TypeId.LIST)
    if pa.types.is_decimal(kind):
        return DataType(TypeId.DECIMAL128, -kind.scale)
    if pa.types.is_timestamp(kind):
        return DataType(TypeId.TIMESTAMP_NANOSECONDS)
    return DataType(TypeId.TIMESTAMP_DAYS if pa.types.is_date(kind) else TypeId.EMPTY)
