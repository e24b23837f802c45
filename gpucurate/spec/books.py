"""Double-entry bookkeeping of documents: nothing is lost without a line that says where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gpucurate.spec.statistics import counter_of, no_counts


@dataclass(slots=True)
class Books:
    """Counts of documents: ``read = kept + dropped + rejected + quarantined``.

    Blank lines are physical records but no documents; they are counted apart.

    Attributes:
        read: documents met, well-formed or not.
        kept: documents that reached the end.
        dropped: by ``stage`` or ``stage: reason``.
        rejected: by reason.
        quarantined: documents of tasks that were set aside, as far as they are known.
        added: documents that stages made out of others (fan-out), by stage.
        blank: blank lines.
    """

    read: int = 0
    kept: int = 0
    quarantined: int = 0
    blank: int = 0
    dropped: Counter[str] = field(default_factory=no_counts)
    rejected: Counter[str] = field(default_factory=no_counts)
    added: Counter[str] = field(default_factory=no_counts)

    def __reduce__(self) -> Any:
        counts = (self.dropped, self.rejected, self.added)
        plain = (dict(each) if each else None for each in counts)
        return _books, (self.read, self.kept, self.quarantined, self.blank, *plain)

    @property
    def total_dropped(self) -> int:
        """Documents dropped by any stage."""
        return self.dropped.total()

    @property
    def total_rejected(self) -> int:
        """Documents rejected for any reason."""
        return self.rejected.total()

    @property
    def balance(self) -> int:
        """What came in less what is accounted for: zero, or the books do not balance."""
        came_in = self.read + self.added.total()
        return came_in - self.kept - self.total_dropped - self.total_rejected - self.quarantined

    def describe(self) -> str:
        """The numbers of documents as a line; what is rare only where it occurs."""
        told = [f"documents: {self.read:,} read", f"{self.kept:,} kept", f"{self.total_dropped:,} dropped"]
        told += [f"{count:,} rejected ({reason})" for reason, count in sorted(self.rejected.items())]
        told += [f"{self.quarantined:,} set aside"] if self.quarantined else []
        told += [f"{self.added.total():,} added"] if self.added else []
        return ", ".join(told)

    def add(self, other: Books) -> None:
        """Add another set of books to these, in place."""
        self.read += other.read
        self.kept += other.kept
        self.quarantined += other.quarantined
        self.blank += other.blank
        self.dropped.update(other.dropped)
        self.rejected.update(other.rejected)
        self.added.update(other.added)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "read": self.read,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
            "rejected": dict(sorted(self.rejected.items())),
            "added": dict(sorted(self.added.items())),
            "quarantined": self.quarantined,
            "blank": self.blank,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Books:
        """The books that :meth:`to_dict` gave."""
        return cls(
            read=values["read"],
            kept=values["kept"],
            quarantined=values["quarantined"],
            blank=values["blank"],
            dropped=counter_of(values["dropped"]),
            rejected=counter_of(values["rejected"]),
            added=counter_of(values["added"]),
        )


def _books(read: int, kept: int, quarantined: int, blank: int, *counts: dict[str, int] | None) -> Books:
    return Books(read, kept, quarantined, blank, *map(counter_of, counts))
