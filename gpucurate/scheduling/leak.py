"""Whether a worker leaks: its memory rises with every unit, and does not stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gpucurate.scheduling.trend import trend_of
from gpucurate.spec.bytesize import format_bytes

WARM_UP = 16
"""Units of a worker that are not looked at: pools fill, kernels are loaded, caches grow."""

WINDOW, LEAST = 64, 32
"""Units that are looked at, at the most and at the least."""

EXPLAINS = (0.5, 1.5)
"""A stage is named whose own growth is between so many times the worker's."""


@dataclass(slots=True)
class LeakWatch:
    """Memory of one kind that a worker held after each of its last units.

    Attributes:
        name: of the kind.
    """

    name: str
    _skipped: int = 0
    _last: int = 0
    _held: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _growth: deque[Sequence[int]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def observe(self, held: int, growth: Sequence[int] = ()) -> None:
        """Note what the worker holds after a unit.

        Args:
            held: bytes; 0 where that is not known.
            growth: by which the process grew during the calls of each stage; empty where not measured.
        """
        if held <= 0:
            return
        if self._skipped < WARM_UP:
            self._skipped += 1
            return
        self._held.append(held)
        if growth:
            self._growth.append(growth)

    def found(self, least: int, stages: Sequence[str]) -> str | None:
        """A sentence if the memory rose by more than ``least`` bytes over the units looked at, and goes on.

        A worker of which more was seen than the units looked at counts from the start of its window: what
        it had grown by before then, it has grown to.

        Args:
            least: bytes.
            stages: names, in order.
        """
        if len(self._held) < LEAST or self._held[-1] - self._held[0] <= least // 2:
            return None  # most units end here: the rest costs more than they do
        trend = trend_of(list(self._held))
        if trend is None or trend.low <= 0 or trend.fades or trend.rise <= least:
            return None
        slope, low, high = (format_bytes(round(each)) for each in (trend.slope, trend.low, trend.high))
        return (
            f"its {self.name} grew by {slope} a unit over its last {len(self._held)} "
            f"({trend.confidence:.1%} confidence: {low} to {high}), "
            f"{format_bytes(round(trend.rise))} in all, and goes on: {self._blamed(trend.slope, stages)}"
        )

    def _blamed(self, slope: float, stages: Sequence[str]) -> str:
        """Which stage grew: the one during whose calls the process grew by about as much."""
        if len(self._growth) < LEAST // 2 or len(stages) != len(self._growth[-1]):
            return "which stage grew was not measured"
        means = [sum(column) / len(self._growth) for column in zip(*self._growth, strict=True)]
        low, high = (share * slope for share in EXPLAINS)
        fitting = [at for at, mean in enumerate(means) if low <= mean <= high]
        if len(fitting) == 1:
            at = fitting[0]
            return (
                f"stage {stages[at]!r}, during whose calls {format_bytes(round(means[at]))} a unit were added"
            )
        told = ", ".join(f"{stage!r} {mean / 1e6:+.1f} MB" for stage, mean in zip(stages, means, strict=True))
        return f"no single stage accounts for it (a unit added during the calls of {told})"
