"""How large a piece of work may be, learned from what ran out of memory."""

from __future__ import annotations

PATIENCE = 16
"""Pieces near the limit that must succeed before it grows; twice as many each time it grew too far."""

LONGEST_PATIENCE = 1024


class PieceSize:
    """The largest piece that is tried: half of what failed last, growing slowly again.

    Sizes are in whatever unit the caller measures batches in (bytes of text, rows). Not for
    several threads at once.

    Attributes:
        limit: the size above which a piece is cut before it is tried; None before the first failure.

    >>> size = PieceSize()
    >>> size.observe_failure(1000)
    >>> size.limit
    500
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self._patience = PATIENCE
        self._successes = 0
        self._has_grown = False

    def admits(self, size: int) -> bool:
        """Whether a piece of this size is tried as it is."""
        return self.limit is None or size <= self.limit

    def observe_failure(self, size: int) -> None:
        """A piece of this size ran out of memory: the limit is half of it, or what it was if less."""
        half = max(1, size // 2)
        if self.limit is not None:
            half = min(half, self.limit)
        if self._has_grown:
            self._patience = min(2 * self._patience, LONGEST_PATIENCE)
        self.limit, self._successes, self._has_grown = half, 0, False

    def observe_success(self, size: int) -> None:
        """A piece of this size was done; enough of them near the limit raise it by an eighth."""
        if self.limit is None or 2 * size <= self.limit:
            return
        self._successes += 1
        if self._successes >= self._patience:
            self.limit += max(1, self.limit // 8)
            self._successes, self._has_grown = 0, True
