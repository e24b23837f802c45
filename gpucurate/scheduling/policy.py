"""The figures that the scheduler decides by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of a run.

    Attributes:
        workers: how many may live at a time.
        budget_bytes: bytes of input that may be in flight.
        max_attempts: tries of one unit before it is set aside.
        systemic_failures: failures in a row, without one success, that end the run,
        systemic_units: if so many units (or workers that did not start) had a part in them.
    """

    workers: int
    budget_bytes: int
    max_attempts: int = 3
    systemic_failures: int = 5
    systemic_units: int = 3
