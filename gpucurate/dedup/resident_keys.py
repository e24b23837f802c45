"""Keys that stay on the device between the pass that takes them and the grouping of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALIGNMENT = 256
"""Allocations take multiples of so many bytes."""


@dataclass(frozen=True, slots=True)
class KeyPiece:
    """Documents with keys, as a block of a key file holds them, in arrays of the device.

    Attributes:
        ids: uint32[m], counted from the start of the unit.
        keys: uint64[bands, m], contiguous.
    """

    ids: Any
    keys: Any

    @property
    def documents(self) -> int:
        """How many there are, m."""
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """Bytes that the two arrays take of the device's pool."""
        return sum(-(-int(array.nbytes) // ALIGNMENT) * ALIGNMENT for array in (self.ids, self.keys))


class ResidentKeys:
    """A store of keys by unit, which forgets the oldest where there is no room for more.

    Each unit's keys are in its key file too: what is forgotten is read from there. So it can be
    spilled without work (``gpucurate.memory.spilling.Spillable``).

    Args:
        budget: bytes on the device.

    >>> resident = ResidentKeys(8 * 10**9)
    >>> resident.put(path, [KeyPiece(ids, keys)])
    True
    """

    remade = True

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.nbytes = 0
        self._units: dict[Path, Sequence[KeyPiece]] = {}

    def __len__(self) -> int:
        return len(self._units)

    def put(self, path: Path, pieces: Sequence[KeyPiece]) -> bool:
        """Keep the keys of a unit, in place of those it had.

        Args:
            path: of its key file, as the key set names it.
            pieces: all of its documents with keys, each once.

        Returns:
            Whether they fit.
        """
        self.drop(path)
        needed = _bytes_of(pieces)
        if needed > self.budget:
            return False
        while self.nbytes + needed > self.budget:
            self.drop(next(iter(self._units)))
        self._units[path] = pieces
        self.nbytes += needed
        return True

    def get(self, path: Path) -> Sequence[KeyPiece] | None:
        """The keys of a unit; None where they are not held."""
        return self._units.get(path)

    def drop(self, path: Path) -> None:
        """Forget a unit's keys, if they are held."""
        self.nbytes -= _bytes_of(self._units.pop(path, ()))

    def spill(self) -> int:
        """Forget everything; the bytes freed."""
        freed = self.nbytes
        self.clear()
        return freed

    def clear(self) -> None:
        """Forget the keys of all units."""
        self._units.clear()
        self.nbytes = 0


def _bytes_of(pieces: Sequence[KeyPiece]) -> int:
    return sum(piece.nbytes for piece in pieces)
