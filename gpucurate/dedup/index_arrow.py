"""Arrow arrays over memory that is there: ``pa.array`` would load pandas, which takes a while."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def plain_array(
    values: npt.NDArray[np.generic], type: pa.DataType, valid: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    """Values of fixed width, of which those that are not ``valid`` (bool[n]) are null."""
    mask = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(type, len(values), [mask, pa.py_buffer(np.ascontiguousarray(values))])


def text_array(texts: Sequence[str]) -> pa.Array:
    """Strings, less than 2 GiB in all."""
    raw = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, raw)], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(raw))]
    return pa.Array.from_buffers(pa.string(), len(raw), buffers)


def repeated_text(text: str, count: int) -> pa.Array:
    """One string ``count`` times, over one copy of it."""
    indices = plain_array(np.zeros(count, np.int32), pa.int32())
    return pa.DictionaryArray.from_arrays(indices, text_array([text])).dictionary_decode()
