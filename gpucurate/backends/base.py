"""What the driver asks of a backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from gpucurate.spec.cluster import Node
from gpucurate.spec.events import Dispatch, Event, SpawnWorker
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.spec.worker import NodeInfo, WorkerMetadata

__all__ = ["Backend", "NodeInfo", "Report", "WorkerMetadata"]

Report = tuple[Event, UnitResult | None]
"""An event, with the result that belongs to a finished unit."""


class Backend(Protocol):
    """Carries actions out and reports what happened; decides nothing."""

    def nodes(self) -> Sequence[Node]:
        """Machines that there are; later ones are reported as ``NodeUp``."""

    def spawn(self, action: SpawnWorker) -> None:
        """Start a worker; ``WorkerReady`` or ``SetupFailed`` follows, or ``WorkerDied``."""

    def dispatch(self, action: Dispatch, unit: Unit, given: Any) -> None:
        """Give a unit to a worker.

        Args:
            action: to which, and how it is to be done.
            unit: what the first segment reads.
            given: ``handed_on`` of the segment before; None for the first segment.
        """

    def stop(self, worker: int, *, is_worn: bool = False) -> None:
        """Let a worker tear down and end; ``WorkerDied`` follows. A worn one's process ends too."""

    def kill(self, worker: int, why: str) -> None:
        """End a worker at once; ``WorkerDied`` follows, with ``why``."""

    def stacks(self, worker: int) -> str:
        """Where the threads of a worker are, in lines; empty where that cannot be asked."""

    def release(self, handed_on: Any) -> None:
        """Drop what a segment handed on."""

    def poll(self, timeout: float) -> list[Report]:
        """What has happened, waiting at most ``timeout`` seconds for the first report."""

    def close(self) -> None:
        """End everything at once; workers that still run are killed."""
