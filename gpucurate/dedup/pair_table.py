"""Similarities of pairs that were compared: no pair is compared twice.

On disk pairs are kept as sorted segments, two files each: ``NNNNNN.pairs`` (uint64, the smaller id in the
upper half) and ``NNNNNN.values`` (float64). A segment that is not much smaller than the one before it
is merged with it, so that there are few, and each pair is copied a logarithmic number of times. The memory
of what was read is given back at once, however large the table is.
"""

from __future__ import annotations

import mmap
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpucurate.disk.crash import reach
from gpucurate.disk.files import open_private
from gpucurate.spec.storage import storage_errors

Pairs = npt.NDArray[np.uint64]
Values = npt.NDArray[np.float64]

_BLOCK = 1 << 18


def pack(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> Pairs:
    """Pairs of ids as one number each, the smaller id in the upper half: uint64[n]."""
    low, high = np.minimum(left, right).astype(np.uint64), np.maximum(left, right).astype(np.uint64)
    pairs: Pairs = low << np.uint64(32) | high
    return pairs


def unpack(pairs: Pairs) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Smaller and larger id of each pair: uint32[n] each."""
    return (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Sorted pairs and their values; of files only what is looked at is read."""

    stem: Path | None
    pairs: Pairs
    values: Values
    maps: tuple[mmap.mmap, ...] = ()

    @classmethod
    def at(cls, stem: Path) -> _Segment:
        maps = tuple(_map(stem.with_suffix(suffix)) for suffix in (".pairs", ".values"))
        return cls(stem, np.frombuffer(maps[0], np.uint64), np.frombuffer(maps[1], np.float64), maps)

    def let_go(self) -> None:
        """Give the memory of what was read back; what is looked at again is read again."""
        for part in self.maps:
            part.madvise(mmap.MADV_DONTNEED)

    def remove(self) -> None:
        if self.stem is not None:
            for suffix in (".pairs", ".values"):
                with storage_errors(self.stem):
                    self.stem.with_suffix(suffix).unlink()


def _map(path: Path) -> mmap.mmap:
    with storage_errors(path, "read"), path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class PairTable:
    """A table of pairs.

    Args:
        folder: for its files; is replaced. None for a table in memory.

    Raises:
        StorageError: not possible.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._segments: list[_Segment] = []
        self._made = 0
        if folder is not None:
            with storage_errors(folder):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)

    def __len__(self) -> int:
        return sum(len(segment.pairs) for segment in self._segments)

    def find(self, pairs: Pairs) -> Values:
        """Value of each pair (uint64[n], ascending), NaN where it is not known: float64[n]."""
        found = np.full(len(pairs), np.nan)
        for segment in self._segments:
            at = np.searchsorted(segment.pairs, pairs)
            at[at == len(segment.pairs)] = 0
            there = segment.pairs[at] == pairs
            found[there] = segment.values[at[there]]
            segment.let_go()
        return found

    def add(self, pairs: Pairs, values: Values) -> None:
        """Add pairs (uint64[n], ascending) that are not there yet.

        Raises:
            StorageError: disk full, device error.
        """
        if not len(pairs):
            return
        self._append(iter([(pairs, values)]))
        while len(self._segments) > 1 and len(self._segments[-2].pairs) < 2 * len(self._segments[-1].pairs):
            self._merge_last()

    def _merge_last(self) -> None:
        first, second = self._segments[-2:]
        del self._segments[-2:]
        self._append(_merged(first, second))
        reach("pairs.after_merge")
        first.remove()
        second.remove()

    def _append(self, blocks: Iterator[tuple[Pairs, Values]]) -> None:
        if self.folder is None:
            pairs, values = zip(*blocks, strict=True)
            self._segments.append(_Segment(None, np.concatenate(pairs), np.concatenate(values)))
            return
        stem = self.folder / f"{self._made:06d}"
        self._made += 1
        reach("pairs.before_write")
        _write(stem, blocks)
        reach("pairs.after_write")
        self._segments.append(_Segment.at(stem))

    def blocks(self) -> Iterator[tuple[Pairs, Values]]:
        """All pairs, ascending, and their values, block by block.

        Raises:
            StorageError: disk full, device error.
        """
        while len(self._segments) > 1:
            self._merge_last()
        for segment in self._segments:
            for at in range(0, len(segment.pairs), _BLOCK):
                yield segment.pairs[at : at + _BLOCK], segment.values[at : at + _BLOCK]
                segment.let_go()


def _write(stem: Path, blocks: Iterator[tuple[Pairs, Values]]) -> None:
    with (
        storage_errors(stem),
        open_private(stem.with_suffix(".pairs"), "wb") as keys,
        open_private(stem.with_suffix(".values"), "wb") as numbers,
    ):
        for pairs, values in blocks:
            keys.write(pairs.tobytes())
            numbers.write(values.tobytes())


def _merged(first: _Segment, second: _Segment) -> Iterator[tuple[Pairs, Values]]:
    """Both as one, in blocks of up to so many pairs of each, whichever way they lie among each other."""
    both = (first, second)
    done = [0, 0]
    while any(at < len(of.pairs) for of, at in zip(both, done, strict=True)):
        ends = [
            of.pairs[at : at + _BLOCK][-1] for of, at in zip(both, done, strict=True) if at < len(of.pairs)
        ]
        stops = [
            at + int(np.searchsorted(of.pairs[at : at + _BLOCK], min(ends), "right"))
            for of, at in zip(both, done, strict=True)
        ]
        parts = [slice(*of) for of in zip(done, stops, strict=True)]
        pairs = np.concatenate([of.pairs[part] for of, part in zip(both, parts, strict=True)])
        values = np.concatenate([of.values[part] for of, part in zip(both, parts, strict=True)])
        order = np.argsort(pairs, kind="stable")
        yield pairs[order], values[order]
        first.let_go()
        second.let_go()
        done = stops
