"""From key files to a device: blocks are gathered on the host, so that transfers are few and large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpucurate.dedup.key_file import KeyFile
from gpucurate.ops.cuda import Device


class Staging:
    """A buffer of documents with their keys on the host, sent when it is full.

    Args:
        device: where to.
        bands: keys a document.
        size: documents.
    """

    def __init__(self, device: Device, bands: int, size: int) -> None:
        self._device = device
        self._words = np.empty((bands, size), np.uint64)
        self._ids = np.empty(size, np.uint32)
        self._used = 0

    def fill(self, file: KeyFile, base: int, bands: Sequence[int]) -> Iterator[tuple[Sequence[Any], Any]]:
        """Take the documents of a file, and give what the buffer held each time it was full.

        Args:
            file: of a unit.
            base: id of the unit's first record.
            bands: whose keys, in order.

        Yields:
            Keys of each band (uint64[n]) and ids (uint32[n]) on the device, until the next.

        Raises:
            StorageError: the file is not whole.
        """
        for block in file.blocks:
            done = 0
            while done < block.documents:
                to = slice(self._used, min(self._used + block.documents - done, len(self._ids)))
                file.read_ids(block, self._ids[to], done)
                self._ids[to] += np.uint32(base)
                for row, band in zip(self._words, bands, strict=True):
                    file.read_keys(block, band, row[to], done)
                done, self._used = done + to.stop - to.start, to.stop
                if self._used == len(self._ids):
                    yield from self.rest()

    def rest(self) -> Iterator[tuple[Sequence[Any], Any]]:
        """What the buffer holds; afterwards it is empty."""
        if self._used:
            words, ids = self._words[:, : self._used], self._ids[: self._used]
            self._used = 0
            yield list(map(self._device.to_device, words)), self._device.to_device(ids)
