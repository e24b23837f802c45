"""What the scheduler decided, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, for the report, the log, and those who ask why.

    Attributes:
        at: seconds of the run's clock.
        what: in a word: ``scale``, ``cap``, ``recycle``, ``retry``, ``isolate``, ``bisect``,
            ``quarantine``, ``time-share``, ``evict``, ``kill``, ``node``, ``fail``.
        segment: which it concerns; None for the run.
        why: a sentence with the figures that led to it.
        why_not: what else could have been done, and why it was not; empty where there was nothing.
        before: the old value, where one changed.
        after: the new one.
    """

    at: float
    what: str
    segment: int | None
    why: str
    why_not: str = ""
    before: Any = None
    after: Any = None
    about: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        change = "" if self.after is None else f" {self.before} -> {self.after}"
        where = "" if self.segment is None else f" (segment {self.segment + 1})"
        not_done = f"; {self.why_not}" if self.why_not else ""
        return f"{self.at:.1f} s {self.what}{change}{where}: {self.why}{not_done}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "", {})}
