"""JSON strings copied into the buffers of a text column, without their escapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.ops.json_lines import copy_strings
from gpucurate.ops.json_lines.simd import WIDTH


@dataclass(frozen=True, slots=True)
class CopiedStrings:
    """Strings that :func:`scan_and_copy` copies on its way.

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


def string_column(data: npt.NDArray[np.uint8], found: npt.NDArray[np.int64]) -> pa.Array:
    """A large_string column of scanned values; what is no string becomes null.

    Args:
        data: uint8, the bytes of the lines.
        found: int64[n, 4], what :func:`scan_fields` found of one field.
    """
    out, offsets, valid = copy_strings(data, found)
    validity = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    return _large_strings(validity, offsets, out)


def _large_strings(validity: pa.Buffer | None, offsets: npt.NDArray[np.int64], out: Any) -> pa.Array:
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(out[: int(offsets[-1])])]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
