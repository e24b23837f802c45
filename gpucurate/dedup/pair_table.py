"""Similarities of pairs that were compared: no pair is compared twice.

On disk pairs are kept as sorted segments, two files each: ``NNNNNN.pairs`` (uint64, the smaller id in the
upper half) and ``NNNNNN.values`` (float64). A segment that is not much smaller than the one before it
is merged with it, so that there are few, and each pair is copied a logarithmic number of times.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

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

    @classmethod
    def at(cls, stem: Path) -> _Segment:
        with storage_errors(stem, "read"):
            return cls(
                stem,
                np.memmap(stem.with_suffix(".pairs"), np.uint64, "r"),
                np.memmap(stem.with_suffix(".values"), np.float64, "r"),
            )

    def remove(self) -> None:
        if self.stem is not None:
            for suffix in (".pairs", ".values"):
                with storage_errors(self.stem):
                    self.stem.with_suffix(suffix).unlink()


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
        first.remove()
        second.remove()

    def _append(self, blocks: Iterator[tuple[Pairs, Values]]) -> None:
        if self.folder is None:
            pairs, values = zip(*blocks, strict=True)
            self._segments.append(_Segment(None, np.concatenate(pairs), np.concatenate(values)))
            return
        stem = self.folder / f"{self._made:06d}"
        self._made += 1
        _write(stem, blocks)
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


def _write(stem: Path, blocks: Iterator[tuple[Pairs, Values]]) -> None:
    with (
        storage_errors(stem),
        stem.with_suffix(".pairs").open("wb") as keys,
        stem.with_suffix(".values").open("wb") as numbers,
    ):
        for pairs, values in blocks:
            keys.write(pairs.tobytes())
            numbers.write(values.tobytes())


def _merged(first: _Segment, second: _Segment) -> Iterator[tuple[Pairs, Values]]:
    """Both as one, block by block of the longer."""
    longer, other = (first, second) if len(first.pairs) >= len(second.pairs) else (second, first)
    done = 0
    for at in range(0, len(longer.pairs), _BLOCK):
        end = at + _BLOCK
        stop = len(other.pairs)
        if end < len(longer.pairs):
            stop = int(np.searchsorted(other.pairs, longer.pairs[end]))
        pairs = np.concatenate([longer.pairs[at:end], other.pairs[done:stop]])
        values = np.concatenate([longer.values[at:end], other.values[done:stop]])
        order = np.argsort(pairs, kind="stable")
        yield pairs[order], values[order]
        done = stop
