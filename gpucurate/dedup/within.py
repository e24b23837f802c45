"""Keys that meet only inside one value of a column: a dump, a language.

    value    h = document hash of the value's text, (0, 0) for null
    key      key' = fmix64(key ^ final(h_w + SALT)),  w the word: of 128-bit keys both, of others the first

``final`` is splitmix64's finaliser, SALT = 9E3779B97F4A7C15. Equal keys of one value stay equal,
those of two values agree by chance alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.dedup.column_values import distinct, texts_of
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.mixing.contract import FMIX64_A, FMIX64_B, GOLDEN64, MASK64, splitmix64_finaliser

Keys = npt.NDArray[np.uint64]


def keys_within(keys: Keys, column: pa.Array, *, wide: bool) -> Keys:
    """The keys of documents, told apart by the value of a column.

    Args:
        keys: uint64[n, bands], or the two words of one key.
        column: n values; compared as text (:func:`~gpucurate.dedup.column_values.texts_of`).
            Null is a value of its own.
        wide: whether the keys are the two words of one.

    Returns:
        uint64, of the shape of ``keys``.
    """
    values, places = distinct(column)
    salts = _salts([*texts_of(values), None])[places]
    return _fmix64(keys ^ (salts if wide else salts[:, :1]))


def count_without(column: pa.Array) -> int:
    """How many rows have no value to be told apart by: nulls, lists, objects and bytes."""
    values, places = distinct(column)
    missing = np.array([*(text is None for text in texts_of(values)), True])
    return int(np.count_nonzero(missing[places]))


def _salts(texts: list[str | None]) -> Keys:
    hashes = document_hash(TextBuffers.from_strings(texts))
    salts = [splitmix64_finaliser((int(word) + GOLDEN64) & MASK64) for word in hashes.ravel()]
    return np.array(salts, np.uint64).reshape(-1, 2)


def _fmix64(x: Keys) -> Keys:
    x = (x ^ (x >> np.uint64(33))) * np.uint64(FMIX64_A)
    x = (x ^ (x >> np.uint64(33))) * np.uint64(FMIX64_B)
    return x ^ (x >> np.uint64(33))
