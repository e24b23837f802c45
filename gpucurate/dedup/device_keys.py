"""Pairs of key and document as arrays of a device, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeyFile, KeySet
from gpucurate.dedup.key_ranges import KEY_BITS
from gpucurate.dedup.resident_keys import KeyPiece, ResidentKeys
from gpucurate.dedup.staging import Staging
from gpucurate.ops.cuda import Device

Chunk = tuple[Sequence[Any], Any]
"""Of each band that was asked for the keys, uint64[n], and the documents, uint32[n], on the device."""


class Within(NamedTuple):
    """A condition on documents: that their key of a band is in a range, ends included."""

    band: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """The keys of all units, where they are on the device from there, and else from their files.

    Attributes:
        keys: of all units.
        device: where the arrays are.
        resident: what is there already.
    """

    keys: KeySet
    device: Device
    resident: ResidentKeys | None = None

    def documents(self) -> int:
        """Documents with keys, of all units.

        Raises:
            StorageError: a key file is not whole.
        """
        return sum(_documents(path, pieces) for path, _, pieces in self._units())

    def chunks(self, bands: Sequence[int], size: int) -> Iterator[Chunk]:
        """All pairs, up to ``size`` documents at a time, in any order; each chunk until the next.

        Files are read once, however many bands are asked for.

        Raises:
            StorageError: a key file is not whole.
        """
        staging = Staging(self.device, len(bands), size)
        for path, base, pieces in self._units():
            if pieces is None:
                with KeyFile(path) as file:
                    yield from staging.fill(file, base, bands)
            else:
                yield from _slices(pieces, base, bands, size)
        yield from staging.rest()

    def chunks_within(self, bands: Sequence[int], size: int, conditions: Sequence[Within]) -> Iterator[Chunk]:
        """The pairs of documents that meet all conditions, of up to ``size`` documents at a time.

        Raises:
            StorageError: a key file is not whole.
        """
        needed = list(dict.fromkeys([*bands, *(each.band for each in conditions)]))
        for words, ids in self.chunks(needed, size):
            columns = dict(zip(needed, words, strict=True))
            places = self._places(columns, conditions)
            if places is None:
                yield [columns[band] for band in bands], ids
            elif len(places):
                yield [columns[band][places] for band in bands], ids[places]

    def counts_within(
        self, band: int, size: int, conditions: Sequence[Within], bits: tuple[int, int, int]
    ) -> npt.NDArray[np.int64]:
        """Pairs of a band by some bits of its key; as ``gpucurate.dedup.key_ranges.Counts``.

        Args:
            band: which of the keys of each document.
            size: documents at a time.
            conditions: that documents must meet.
            bits: the first key, how many bits follow, and how many of them make no difference.

        Raises:
            StorageError: a key file is not whole.
        """
        xp, (low, width, rest) = self.device.xp, bits
        counts = xp.zeros(1 << (width - rest), np.int64)
        inside = [*conditions, Within(band, low, low + (1 << width) - 1)]
        for (words,), _ in self.chunks_within([band], size, inside):
            buckets = ((words - np.uint64(low)) >> np.uint64(rest)).view(np.int64)
            counts += xp.bincount(buckets, minlength=len(counts))
        return self.device.to_host(counts)

    def _places(self, columns: dict[int, Any], conditions: Sequence[Within]) -> Any:
        """Where all conditions are met; None where there are none."""
        mask = None
        for band, low, high in conditions:
            if (low, high) == (0, 2**KEY_BITS - 1):
                continue
            met = (columns[band] >= np.uint64(low)) & (columns[band] <= np.uint64(high))
            mask = met if mask is None else mask & met
        return None if mask is None else self.device.xp.flatnonzero(mask)

    def _units(self) -> Iterator[tuple[Path, int, Sequence[KeyPiece] | None]]:
        """Key file, id of the first record and what is on the device, of each unit that could be read."""
        for path, base in zip(self.keys.paths, self.keys.bases, strict=False):
            if path is not None:
                yield path, int(base), None if self.resident is None else self.resident.get(path)


def _documents(path: Path, pieces: Sequence[KeyPiece] | None) -> int:
    if pieces is not None:
        return sum(piece.documents for piece in pieces)
    with KeyFile(path) as file:
        return file.documents


def _slices(pieces: Sequence[KeyPiece], base: int, bands: Sequence[int], size: int) -> Iterator[Chunk]:
    for piece in pieces:
        for first in range(0, piece.documents, size):
            part = slice(first, first + size)
            yield [piece.keys[band, part] for band in bands], piece.ids[part] + np.uint32(base)
