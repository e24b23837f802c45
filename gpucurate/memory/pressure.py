"""What is done when GPU memory gets tight: decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpucurate.memory.budget import SOFT
from gpucurate.spec.errors import ConfigurationError

RESUME = 0.7
"""Share of a limit below which work is admitted again."""

Step = Literal["stop_admission", "release_torch_cache", "trim", "spill", "resume_admission"]

LADDER: tuple[Step, ...] = ("stop_admission", "release_torch_cache", "trim", "spill")
"""The steps in order: each costs more than the one before."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How full a pool is.

    Attributes:
        in_use: bytes handed out.
        held: bytes taken from the device: those in use, and those that are idle.
    """

    in_use: int
    held: int


class Pressure:
    """Names the next step by how full the pool is; remembers which were taken.

    Above the soft limit it goes down the ladder one step at a time; below the soft limit it stays
    where it is; below ``resume`` work is admitted again, so that admission does not flutter. Bytes
    that are idle count, as they are missing elsewhere, but for those that the last trimming could not
    give back: gaps between what is in use. Not for several threads at once.

    Args:
        limit: bytes of the pool.
        soft: share of the limit above which something is done.
        resume: share of the limit below which work is admitted again.

    Attributes:
        is_admitting: whether new work may begin.

    Raises:
        ConfigurationError: unless 0 < resume < soft <= 1.

    >>> pressure = Pressure(100)
    >>> [pressure.next_step(Fill(held, held)) for held in (50, 90, 90, 75, 60)]
    [None, 'stop_admission', 'release_torch_cache', None, 'resume_admission']
    """

    def __init__(self, limit: int, soft: float = SOFT, resume: float = RESUME) -> None:
        if not 0 < resume < soft <= 1:
            raise ConfigurationError(
                f"memory cannot be tight above {soft:g} and roomy below {resume:g}: "
                "give two shares of the limit, the second the lower one"
            )
        self.soft_limit = int(limit * soft)
        self.resume_limit = int(limit * resume)
        self.is_admitting = True
        self._rung = 0
        self._gaps = 0
        self._was_trimmed = False

    def next_step(self, fill: Fill) -> Step | None:
        """What to do next at this fill, or None; ask again when it was done."""
        level = self._level(fill)
        if level <= self.soft_limit:
            # Another rise begins below admission, which is stopped until there is room.
            self._rung = 0 if self.is_admitting else 1
            return self._resumed() if level <= self.resume_limit else None
        if self._rung == len(LADDER):
            return None
        step = LADDER[self._rung]
        self._rung += 1
        self.is_admitting = False
        self._was_trimmed = step in ("trim", "spill")
        return step

    def to_spill(self, fill: Fill) -> int:
        """Bytes to spill, so that what is in use leaves room to admit work again."""
        return max(0, fill.in_use - self.resume_limit)

    def admits(self, in_flight: int) -> bool:
        """Whether a batch may begin, with so many at work; one always may, or nothing would end."""
        return self.is_admitting or in_flight == 0

    def _level(self, fill: Fill) -> int:
        if self._was_trimmed:
            self._gaps, self._was_trimmed = fill.held - fill.in_use, False
        return max(fill.in_use, fill.held - self._gaps)

    def _resumed(self) -> Step | None:
        if self.is_admitting:
            return None
        self.is_admitting, self._rung = True, 0
        return "resume_admission"
