"""Bytes in flight, bounded."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Admission:
    """A budget of bytes for the units that are being worked on.

    Integers only: with floats the test for an empty budget fails after rounding, and a
    run can stop for ever.

    Attributes:
        budget: bytes that may be in flight.
        in_flight: bytes that are.
        peak: the most that ever were.
    """

    budget: int
    in_flight: int = 0
    peak: int = 0
    _alone: bool = False
    _held: dict[str, int] = field(default_factory=dict)

    def admits(self, size: int, *, alone: bool = False) -> bool:
        """Whether a unit of ``size`` bytes fits; one that is too large for the budget may run alone.

        With ``alone`` it is only let in where nothing is in flight.
        """
        if not self._held:
            return True
        return not (alone or self._alone) and self.in_flight + size <= self.budget

    def take(self, unit: str, size: int, *, alone: bool = False) -> None:
        """Count a unit as in flight; with ``alone``, nothing else is let in until it is released."""
        self._alone = alone
        self._held[unit] = size
        self.in_flight += size
        self.peak = max(self.peak, self.in_flight)

    def release(self, unit: str) -> None:
        """Give a unit's bytes back; nothing if it holds none."""
        self.in_flight -= self._held.pop(unit, 0)
        self._alone = self._alone and bool(self._held)
