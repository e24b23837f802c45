"""A set of ids, numbers or text, as sorted 128-bit hashes: 16 bytes an id, shared by all workers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.dedup.column_values import text_buffers_of
from gpucurate.disk.files import open_private
from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.grouping import sort_hashes
from gpucurate.spec.storage import storage_errors

Words = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


class IdTable:
    """Ids by the document hash of their text, so that 7 and "7" are one.

    Args:
        high: uint64[n], first words, ascending.
        low: uint64[n], second words; pairs are distinct and in order.
    """

    def __init__(self, high: Words, low: Words) -> None:
        self._high, self._low = high, low

    @classmethod
    def of(cls, columns: Iterable[pa.Array]) -> Self:
        """The ids of some columns; a null is none."""
        parts = [hashes[valid] for hashes, valid in map(_hashes, columns)]
        hashes = np.concatenate([*parts, np.zeros((0, 2), np.uint64)])
        high, low, _ = sort_hashes(hashes, np.arange(len(hashes), dtype=np.uint32))
        first = np.ones(len(high), bool)
        first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        return cls(high[first], low[first])

    @classmethod
    def open(cls, path: Path) -> Self:
        """A table that :meth:`save` wrote, mapped into memory rather than read."""
        with storage_errors(path, "read"):
            if not path.stat().st_size:
                return cls(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
            words = np.memmap(path, np.uint64, "r").reshape(2, -1)
        return cls(words[0], words[1])

    def save(self, path: Path) -> None:
        """Write the table.

        Raises:
            StorageError: not possible.
        """
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open_private(path, "wb") as file:
                file.write(self._high.tobytes())
                file.write(self._low.tobytes())

    def __len__(self) -> int:
        return len(self._high)

    @property
    def digest(self) -> str:
        """128 bits of BLAKE2b over the table, hexadecimal."""
        digest = hashlib.blake2b(self._high.data, digest_size=16)
        digest.update(self._low.data)
        return digest.hexdigest()

    def contains(self, column: pa.Array) -> tuple[Mask, int]:
        """Which of a column's values are in the table, and how many of them are null."""
        hashes, valid = _hashes(column)
        found = valid & self._holds(hashes)
        return found, len(valid) - int(np.count_nonzero(valid))

    def _holds(self, hashes: Words) -> Mask:
        found = np.zeros(len(hashes), bool)
        if not len(self):
            return found
        order = np.argsort(hashes[:, 0])  # a search in order stays in the processor's caches
        high, low = hashes[order, 0], hashes[order, 1]
        at = np.searchsorted(self._high, high)
        last = len(self) - 1
        met = (at <= last) & (self._high[np.minimum(at, last)] == high)
        found[order] = met & (self._low[np.minimum(at, last)] == low)
        shared = met & (at < last) & (self._high[np.minimum(at + 1, last)] == high)
        for i in np.flatnonzero(shared):  # ids that share a first word: once in 2^64 / n
            stop = np.searchsorted(self._high, high[i], side="right")
            found[order[i]] = low[i] in self._low[at[i] : stop]
        return found


def _hashes(column: pa.Array) -> tuple[Words, Mask]:
    text = text_buffers_of(column)
    return document_hash(text), np.ones(len(text), bool) if text.valid is None else text.valid
