"""Columns as JSON, value after value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from gpucurate.frame.arrays import valid_rows, values_of
from gpucurate.ops.compiled import kernel

_LONGEST_INTEGER = 20
_WORDS = np.frombuffer(b"nullfalsetrue", np.uint8)
_WORD_SPANS = np.array([[0, 4], [4, 9], [9, 13]], np.int64)


@dataclass(frozen=True, slots=True)
class Rendered:
    """JSON of n values.

    Attributes:
        data: uint8, the bytes.
        spans: int64[n, 2], where each value begins and ends.
    """

    data: npt.NDArray[np.uint8]
    spans: npt.NDArray[np.int64]

    def value(self, i: int) -> bytes:
        """The JSON of value ``i``."""
        return self.data[slice(*self.spans[i])].tobytes()


def json_values(values: Any) -> Rendered:
    """A column as JSON.

    Args:
        values: an Arrow array or chunked array, or a sequence of Python values.
    """
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        return _one_by_one(values)
    if pa.types.is_boolean(values.type):
        valid = valid_rows(values)
        return Rendered(_WORDS, _WORD_SPANS[valid.astype(np.int64) + (valid & values_of(values))])
    if pa.types.is_integer(values.type) and values.type != pa.uint64():
        data = np.empty(len(values) * _LONGEST_INTEGER, np.uint8)
        spans = np.empty((len(values), 2), np.int64)
        _render_integers(values_of(values).astype(np.int64), valid_rows(values), data, spans)
        return Rendered(data, spans)
    return _one_by_one(values.to_pylist())


def _one_by_one(values: Sequence[Any]) -> Rendered:
    return joined(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY) for value in values)


def joined(parts: Iterable[bytes]) -> Rendered:
    """Values that are JSON already."""
    held = list(parts)
    sizes = np.array([len(part) for part in held], np.int64)
    ends = np.cumsum(sizes)
    return Rendered(np.frombuffer(b"".join(held), np.uint8), np.stack([ends - sizes, ends], axis=1))


@kernel
def _render_integers(values: Any, valid: Any, data: Any, spans: Any) -> None:
    o = 0
    for row in range(len(values)):
        spans[row, 0] = o
        if not valid[row]:
            data[o], data[o + 1], data[o + 2], data[o + 3] = 110, 117, 108, 108  # null
            o += 4
        else:
            o = _put_integer(values[row], data, o)
        spans[row, 1] = o


@kernel
def _put_integer(value: int, data: Any, o: int) -> int:
    """Write ``value`` in decimal at ``o``; the position after it."""
    left = np.uint64(value)
    if value < 0:
        data[o] = 45
        o += 1
        left = np.uint64(0) - left
    size = 1
    power = left
    while power >= 10:
        power //= np.uint64(10)
        size += 1
    for k in range(size):
        data[o + size - 1 - k] = np.uint8(48) + np.uint8(left % np.uint64(10))
        left //= np.uint64(10)
    return o + size
