"""The keys of one band with their documents, read from key files by ranges of keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.key_ranges import KEY_BITS, KeyRange, key_ranges

Ids = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BandPairs:
    """Pairs of key and document, of one band and the wanted documents.

    Attributes:
        keys: of all units.
        band: which of the keys of each document.
        wanted: bool[records].
    """

    keys: KeySet
    band: int
    wanted: Mask

    def ranges(self, capacity: int) -> Iterator[KeyRange]:
        """The key space in ranges of up to ``capacity`` pairs, or of one key, ascending.

        Ranges follow the upper bits of keys, and where too many keys agree in those the next ones.

        Raises:
            StorageError: a key file is not whole.
        """
        return key_ranges(int(np.count_nonzero(self.wanted)), capacity, self._counts)

    def _counts(self, low: int, bits: int, rest: int) -> npt.NDArray[np.int64]:
        """Pairs by the bits of the key from ``bits`` down to ``rest``."""
        counts = np.zeros(1 << (bits - rest), np.int64)
        for words, _ in self.blocks(KeyRange(low, low + (1 << bits) - 1, 0)):
            buckets = ((words - np.uint64(low)) >> np.uint64(rest)).astype(np.int64)
            counts += np.bincount(buckets, minlength=len(counts))
        return counts

    def gather(self, of: KeyRange) -> tuple[Keys, Ids]:
        """All pairs of a range (uint64[n], uint32[n]), by ascending documents.

        Raises:
            StorageError: a key file is not whole.
        """
        words, ids, used = np.empty(of.pairs, np.uint64), np.empty(of.pairs, np.uint32), 0
        for block_words, block_ids in self.blocks(of):
            to = slice(used, used + len(block_ids))
            words[to], ids[to] = block_words, block_ids
            used = to.stop
        return words[:used], ids[:used]

    def blocks(self, of: KeyRange) -> Iterator[tuple[Keys, Ids]]:
        """The pairs of a range, a block of a key file at a time, by ascending documents.

        Raises:
            StorageError: a key file is not whole.
        """
        for base, file in self.keys.files():
            for block in file.blocks:
                words, ids = np.empty(block.documents, np.uint64), np.empty(block.documents, np.uint32)
                file.read_ids(block, ids)
                file.read_keys(block, self.band, words)
                ids += np.uint32(base)
                mask = self.wanted[ids]
                if of.low or of.high < 2**KEY_BITS - 1:
                    mask &= (words >= np.uint64(of.low)) & (words <= np.uint64(of.high))
                yield words[mask], ids[mask]
