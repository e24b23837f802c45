"""The documents of a unit among which one ends the worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suspect:
    """Rows that a worker was at when it died.

    Attributes:
        stage: position of the stage in its segment.
        batch: 0. Rows are not counted within a batch, since batches are cut otherwise at the next try.
        start: first row, among all that the stage is given of the unit.
        stop: end, exclusive.
    """

    stage: int
    batch: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start
