"""What the driver asks of a backend."""

from __future__ import annotations

from typing import Protocol

from gpucurate.spec.events import Event
from gpucurate.spec.unit import Unit, UnitResult

Report = tuple[Event, UnitResult | None]
"""An event, with the result that belongs to a finished unit."""


class Backend(Protocol):
    """Carries actions out and reports what happened; decides nothing."""

    def spawn(self, worker: int) -> None:
        """Start a worker; ``WorkerReady`` or ``SetupFailed`` follows."""

    def dispatch(self, worker: int, unit: Unit, attempt: int) -> None:
        """Give a unit to a worker that is ready."""

    def stop(self, worker: int) -> None:
        """Let a worker tear down and end; ``WorkerDied`` follows."""

    def poll(self, timeout: float) -> list[Report]:
        """What has happened, waiting at most ``timeout`` seconds for the first report."""

    def close(self) -> None:
        """End everything at once; workers that still run are killed."""
