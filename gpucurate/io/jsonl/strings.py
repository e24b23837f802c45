"""JSON strings copied into the buffers of a text column, without their escapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.io.jsonl.scan import BEGIN, END, ESCAPED, KIND, PLAIN, SIZE
from gpucurate.io.jsonl.simd import WIDTH
from gpucurate.io.jsonl.values import unescape
from gpucurate.ops.compiled import kernel
from gpucurate.ops.copying import copy_bytes


@dataclass(frozen=True, slots=True)
class CopiedStrings:
    """Strings that :func:`scan_lines` copies on its way.

    Attributes:
        out: uint8, the strings one after the other.
        offsets: int64[n+1], where each line's string begins and ends.
    """

    out: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def room(cls, lines: int, nbytes: int) -> CopiedStrings:
        """Room for the strings of ``lines`` lines of ``nbytes`` in all: escaped, they are longer."""
        return cls(np.empty(nbytes + WIDTH, np.uint8), np.zeros(lines + 1, np.int64))

    def of(self, chosen: npt.NDArray[np.bool_]) -> pa.Array:
        """The strings of the lines where ``chosen`` (bool[n]) is true; all others are empty."""
        offsets = np.concatenate([self.offsets[:1], self.offsets[1:][chosen]])
        return _large_strings(None, offsets, self.out)


@kernel
def _copy_strings(data: Any, found: Any, offsets: Any, out: Any) -> None:
    for row in range(len(found)):
        if found[row, KIND] == PLAIN:
            copy_bytes(data, found[row, BEGIN], found[row, END], out, offsets[row])
        elif found[row, KIND] == ESCAPED:
            unescape(data, found[row, BEGIN], found[row, END], out, offsets[row])


def string_column(data: npt.NDArray[np.uint8], found: npt.NDArray[np.int64]) -> pa.Array:
    """A large_string column of scanned values; what is no string becomes null.

    Args:
        data: uint8, the bytes of the lines.
        found: int64[n, 4], what :func:`scan_lines` found of one field.
    """
    is_string = (found[:, KIND] == PLAIN) | (found[:, KIND] == ESCAPED)
    offsets = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.where(is_string, found[:, SIZE], 0), out=offsets[1:])
    out = np.empty(int(offsets[-1]) + WIDTH, np.uint8)
    _copy_strings(data, found, offsets, out)
    validity = None if is_string.all() else pa.py_buffer(np.packbits(is_string, bitorder="little").tobytes())
    return _large_strings(validity, offsets, out)


def _large_strings(validity: pa.Buffer | None, offsets: npt.NDArray[np.int64], out: Any) -> pa.Array:
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(out[: int(offsets[-1])])]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
