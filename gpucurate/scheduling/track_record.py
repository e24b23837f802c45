"""What a segment has shown of itself so far: speed, output, setup. Constant work per unit."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

from gpucurate.spec.cluster import MILLI

TRUSTED_SAMPLES = 5
"""Units after which the speed is believed."""

_RING = 128
_SLOWER, _FASTER = 0.3, 0.1
_SKIP = 0.1


class TrackRecord:
    """Figures of one segment, learnt from its units (SCHEDULER.md 10.2, 10.4).

    Seconds per unit are an exponential average that follows slower units (0.3) sooner than faster
    ones (0.1): too many workers cost less than too few. A unit that gave nothing in less than a tenth of
    the time was skipped rather than done, and tells nothing of the speed, provided that the segment
    hands on anything at all.

    Output is counted in integer thousandths of the input's bytes. The estimate for admission is high
    on purpose: the larger of an average that rises by a half and falls by a sixteenth of the way, and
    nine tenths of the largest ratio, which itself fades by a 64th per unit.

    Args:
        expansion: thousandths of the input's bytes that a unit hands on, until measured.
        setup_s: seconds that a worker needs before its first unit, until measured.

    Attributes:
        seconds_per_unit: None before the first unit.
        setup_s: average of the measured ones, else as given.
        samples: units measured for speed.
    """

    def __init__(self, expansion: int = MILLI, setup_s: float = 1.0) -> None:
        self.seconds_per_unit: float | None = None
        self.setup_s = setup_s
        self.samples = 0
        self._setups = 0
        self._high = expansion
        self._peak = 0
        self._measured = False
        self._recent: deque[float] = deque()
        self._ordered: list[float] = []

    @property
    def trusted(self) -> bool:
        """Whether enough units were measured."""
        return self.samples >= TRUSTED_SAMPLES

    @property
    def expansion(self) -> int:
        """Thousandths of a unit's bytes that it is expected to hand on: a high estimate."""
        return max(self._high, self._peak * 9 // 10)

    def estimate(self, nbytes: int) -> int:
        """Bytes that a unit of ``nbytes`` is expected to hand on: a high estimate."""
        return -(-nbytes * self.expansion // MILLI)

    @property
    def slow_seconds(self) -> float | None:
        """Seconds that one unit in a hundred exceeds, of the last 128; None before the first."""
        ordered = self._ordered
        return ordered[(len(ordered) - 1) * 99 // 100] if ordered else None

    def observe(self, nbytes: int, seconds: float, output_bytes: int) -> None:
        """Learn from a unit of ``nbytes`` that took ``seconds`` and handed ``output_bytes`` on."""
        if nbytes > 0:
            self._learn_output(output_bytes * MILLI // nbytes)
        if not self._was_skipped(seconds, output_bytes):
            self._learn_seconds(seconds)

    def observe_setup(self, seconds: float) -> None:
        """Learn from a worker that got ready after ``seconds``."""
        self._setups += 1
        self.setup_s = seconds if self._setups == 1 else self.setup_s + _SLOWER * (seconds - self.setup_s)

    def _was_skipped(self, seconds: float, output_bytes: int) -> bool:
        known = self.seconds_per_unit
        return output_bytes == 0 and self._peak > 0 and known is not None and seconds < _SKIP * known

    def _learn_seconds(self, seconds: float) -> None:
        self.samples += 1
        known = self.seconds_per_unit
        if known is None:
            self.seconds_per_unit = seconds
        else:
            gap = seconds - known
            self.seconds_per_unit = known + (_SLOWER if gap > 0 else _FASTER) * gap
        if len(self._recent) == _RING:
            del self._ordered[bisect_left(self._ordered, self._recent.popleft())]
        self._recent.append(seconds)
        insort(self._ordered, seconds)

    def _learn_output(self, ratio: int) -> None:
        if not self._measured:
            self._measured, self._high = True, ratio
        gap = ratio - self._high
        self._high += -(-gap // 2) if gap > 0 else gap // 16
        self._peak = max(ratio, self._peak - -(-self._peak // 64))
