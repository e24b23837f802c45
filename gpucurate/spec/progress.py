"""What a run tells those who watch it."""

from __future__ import annotations

from typing import Protocol

from gpucurate.spec.unit import UnitResult


class Observer(Protocol):
    """Told of a phase as it goes on; never decides anything."""

    def phase_started(
        self, name: str, units: int, total_bytes: int, done_units: int, done_bytes: int
    ) -> None:
        """A phase begins; ``done_*`` were committed by an earlier run."""

    def unit_committed(self, result: UnitResult, input_bytes: int) -> None:
        """A unit of ``input_bytes`` bytes is final."""

    def trouble(self, message: str) -> None:
        """Something failed and is tried again, or was set aside."""

    def note(self, message: str) -> None:
        """Something that takes a while begins."""

    def phase_ended(self, name: str) -> None:
        """A phase is over, whether it went well or not."""


class Silent:
    """An observer that says nothing."""

    def phase_started(
        self, name: str, units: int, total_bytes: int, done_units: int, done_bytes: int
    ) -> None:
        """Nothing."""

    def unit_committed(self, result: UnitResult, input_bytes: int) -> None:
        """Nothing."""

    def trouble(self, message: str) -> None:
        """Nothing."""

    def note(self, message: str) -> None:
        """Nothing."""

    def phase_ended(self, name: str) -> None:
        """Nothing."""
