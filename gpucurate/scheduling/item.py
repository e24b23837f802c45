"""A unit on its way through the segments."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.spec.suspect import Suspect


@dataclass(slots=True)
class Item:
    """Where a unit is, and what has happened to it there.

    Attributes:
        unit: its name.
        size: bytes that it is taken to hold while the first segment works on it.
        segment: the segment that it waits for or is in.
        attempts: tries in this segment that count.
        dispatches: tries in all segments, counted or not.
        losses: how often what had been made of it was lost, or it was, through no fault of its own.
        node: where lies what the segment before made of it.
        is_lost: whether that machine has gone since.
        is_alone: whether it is to be done with nothing else in flight on its node.
        is_bisected: whether the document is being looked for that makes it fail.
        suspects: rows among which one ended a worker.
        bisections: deaths since it is bisected.
    """

    unit: str
    size: int
    segment: int = 0
    attempts: int = 0
    dispatches: int = 0
    losses: int = 0
    node: str | None = None
    is_lost: bool = False
    is_alone: bool = False
    is_bisected: bool = False
    suspects: tuple[Suspect, ...] = ()
    bisections: int = 0

    def enter(self, segment: int, node: str | None) -> None:
        """The unit waits for a segment, with no history there."""
        self.segment, self.node = segment, node
        self.attempts = self.bisections = 0
        self.is_alone = self.is_bisected = self.is_lost = False
        self.suspects = ()

    def narrows(self, found: Suspect) -> bool:
        """Note rows at which a worker has died; False if that is nothing new."""
        if found in self.suspects:
            return False
        wider = [s for s in self.suspects if not _within(found, s)]
        self.suspects = (*wider, found)
        return True


def _within(inner: Suspect, outer: Suspect) -> bool:
    same = (inner.stage, inner.batch) == (outer.stage, outer.batch)
    return same and outer.start <= inner.start and inner.stop <= outer.stop
