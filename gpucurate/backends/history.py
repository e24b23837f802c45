"""What happened to a run, as it was told to the scheduler: enough to go through it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from gpucurate.checkpoint.phase import Phase
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Node
from gpucurate.spec.decision import Decision
from gpucurate.spec.event_log import to_plain
from gpucurate.spec.events import Event

KEPT = 1000
"""Decisions that the report shows; the run folder has all of them."""


class History:
    """Events and decisions of a phase; in the run folder, if there is one.

    ``events/PHASE-EPOCH.jsonl`` begins with what the scheduler was made of; each line after that is an
    event with its time. ``decisions/PHASE-EPOCH.jsonl`` has the decisions.

    Args:
        phase: of the run; None for a run that leaves nothing on disk.
        lanes: as the scheduler was given them, like
        work: units,
        policy: limits,
        nodes: machines.
        part: of the phase, for names of files.
    """

    def __init__(
        self,
        phase: Phase | None,
        lanes: Sequence[Lane],
        work: Sequence[tuple[str, int]],
        policy: Policy,
        nodes: Sequence[Node],
        *,
        part: str = "",
    ) -> None:
        self.decisions: list[Decision] = []
        self._events = phase.folder.journal("events", phase.name + part) if phase and work else None
        self._decided = phase.folder.journal("decisions", phase.name + part) if phase and work else None
        if self._events:
            self._events.write(
                {
                    "lanes": [asdict(lane) for lane in lanes],
                    "units": work,
                    "policy": asdict(policy),
                    "nodes": [asdict(node) for node in nodes],
                }
            )

    def note(self, now: float, event: Event) -> None:
        """An event, as the scheduler is given it."""
        if self._events:
            self._events.write([now, to_plain(event)])

    def decided(self, decision: Decision) -> None:
        """A decision of the scheduler."""
        if len(self.decisions) < KEPT:
            self.decisions.append(decision)
        if self._decided:
            self._decided.write(decision.to_dict())

    def close(self) -> None:
        """Write what is left."""
        for journal in (self._events, self._decided):
            if journal:
                journal.close()
