"""The documents of a unit among which one ends the worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suspect:
    """Rows that a worker was at when it died.

    Attributes:
        stage: position of the stage in its segment.
        batch: position of the batch among those that the stage was given of the unit.
        start: first row.
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
