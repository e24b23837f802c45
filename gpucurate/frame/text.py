"""A column of text as the two buffers that every operation works on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.frame.arrays import valid_rows


@dataclass(frozen=True, slots=True)
class TextBuffers:
    """UTF-8 text of ``n`` documents.

    Attributes:
        data: uint8, the bytes; may be longer than what the offsets cover, and may be
            read-only memory of Arrow.
        offsets: int64 of length n+1, non-decreasing; document i is
            ``data[offsets[i]:offsets[i+1]]``. The first need not be 0 (a slice).
        valid: bool of length n, False for null; None if nothing is null. A null
            document has length 0.
    """

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of text, offsets not counted."""
        return int(self.offsets[-1] - self.offsets[0]) if len(self.offsets) else 0

    def document(self, i: int) -> bytes:
        """The bytes of document ``i``; for tests and messages, not for loops."""
        return self.data[self.offsets[i] : self.offsets[i + 1]].tobytes()

    def halves(self) -> tuple[TextBuffers, TextBuffers] | None:
        """The first half of the documents and the others, over the same memory; None for one document."""
        middle = len(self) // 2
        if not middle:
            return None
        first, rest = self.offsets[: middle + 1], self.offsets[middle:]
        if self.valid is None:
            return TextBuffers(self.data, first), TextBuffers(self.data, rest)
        return (
            TextBuffers(self.data, first, self.valid[:middle]),
            TextBuffers(self.data, rest, self.valid[middle:]),
        )

    @classmethod
    def from_strings(cls, documents: Iterable[str | bytes | None]) -> TextBuffers:
        """Buffers of Python strings; for tests and small inputs."""
        parts = [d.encode() if isinstance(d, str) else d for d in documents]
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(p or b"") for p in parts], out=offsets[1:])
        valid = np.array([p is not None for p in parts], bool)
        data = np.frombuffer(b"".join(p or b"" for p in parts), np.uint8)
        return cls(data, offsets, None if valid.all() else valid)

    @classmethod
    def from_arrow(cls, column: Any) -> TextBuffers:
        """Buffers of an Arrow string column: string, large_string, view or dictionary of them.

        Without a copy of the text for one chunk of string or large_string.

        Raises:
            TypeError: the column does not hold text.
        """
        array = _one_array(column) if isinstance(column, pa.ChunkedArray) else column
        kind = array.type
        if pa.types.is_dictionary(kind):
            return cls.from_arrow(array.dictionary_decode())
        if pa.types.is_string_view(kind):
            return cls.from_arrow(array.cast(pa.large_string()))
        if pa.types.is_null(kind):
            return cls(np.zeros(0, np.uint8), np.zeros(len(array) + 1, np.int64), np.zeros(len(array), bool))
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise TypeError(f"a column of {kind} is not text")
        return cls._of_string_array(array)

    @classmethod
    def _of_string_array(cls, array: pa.Array) -> TextBuffers:
        n = len(array)
        validity, raw_offsets, raw_data = array.buffers()
        if n == 0 or raw_offsets is None:
            return cls(np.zeros(0, np.uint8), np.zeros(n + 1, np.int64))
        width = np.int64 if pa.types.is_large_string(array.type) else np.int32
        offsets = np.frombuffer(raw_offsets, width)[array.offset : array.offset + n + 1].astype(np.int64)
        data = np.frombuffer(raw_data, np.uint8) if raw_data is not None else np.zeros(0, np.uint8)
        valid = None
        if validity is not None and array.null_count:
            valid = valid_rows(array)
            if np.any(np.diff(offsets)[~valid] != 0):  # Arrow allows bytes under a null
                return cls._of_string_array(array.fill_null(""))._with_valid(valid)
        return cls(data, offsets, valid)

    def _with_valid(self, valid: npt.NDArray[np.bool_]) -> TextBuffers:
        return TextBuffers(self.data, self.offsets, valid)

    def to_arrow(self) -> pa.Array:
        """A large_string array over the same memory; the text must be valid UTF-8."""
        n = len(self)
        validity = None
        if self.valid is not None:
            validity = pa.py_buffer(np.packbits(self.valid, bitorder="little").tobytes())
        buffers = [validity, pa.py_buffer(self.offsets), pa.py_buffer(np.ascontiguousarray(self.data))]
        return pa.Array.from_buffers(pa.large_string(), n, buffers)


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)  # combine_chunks() would copy it
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # more than 2 GiB of text, which string cannot hold
        array = column.cast(pa.large_string()).combine_chunks()
    return array
