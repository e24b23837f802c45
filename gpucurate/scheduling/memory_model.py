"""What a batch takes of memory, learnt from batches: one model for all workers of a segment."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.figures import MemorySample

WINDOW = 256
"""Samples remembered: so many good ones after a failure, and it is forgotten."""

PROBE_SAMPLES = 16
"""Measured ratios below which a ratio is assumed."""

_MICRO = 10**6  # ratios are integers, in millionths: sums and comparisons are exact
_PROBE_RATIO = 6 * _MICRO
_FAILED_WEIGHT = 8
_TOP_PERCENT = 1

Size_contra = TypeVar("Size_contra", contravariant=True)
Sample_contra = TypeVar("Sample_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class CapChange:
    """A cap that moved.

    Attributes:
        before: bytes of one batch; None for no limit.
        after: likewise.
        why: a sentence with the figures.
    """

    before: int | None
    after: int | None
    why: str


class Model(Protocol[Size_contra, Sample_contra]):
    """How much memory work of a size takes. The size is a number of bytes for stages."""

    def predict(self, size: Size_contra, /) -> int | None:
        """Bytes that work of this size takes at the most; None where nothing is known."""

    def observe(self, sample: Sample_contra, /) -> CapChange | None:
        """Learn; what changed if the cap moved by enough to be told."""

    def cap(self, limit: int = 0, /) -> int | None:
        """The largest size that fits ``limit`` bytes; None for no limit."""


class _Remembered(NamedTuple):
    ratio: int | None
    weight: int
    failed_size: int | None
    limit: int | None


class MemoryModel:
    """The share of a batch's bytes that a segment takes on top of it, and the batch that is safe.

    The ratio peak / bytes of the last 256 batches is kept in order; its 0.99 quantile tells how
    many bytes fit: ``0.92 * limit / quantile``. A batch that ran out of memory shows a lower bound
    of its ratio only; it counts as 1.15 times that bound, 8 times over, so it rules until it leaves
    the window. Hence the cap after a failure is 0.92 / 1.15 = 4/5 of the batch that failed, and it
    is so too where no limit is known: the worker halves the batch on the spot and reports each
    size that failed, so the order of magnitude is found there and the cap only needs the margin.
    Before 16 ratios are known, 6 is taken for the ratio (or what was measured, if that is more).

    Args:
        maximum: bytes of one batch that the user allows; None for no limit.
    """

    def __init__(self, maximum: int | None = None) -> None:
        self.maximum = maximum
        self._window: deque[_Remembered] = deque()
        self._ratios: list[tuple[int, int]] = []  # (ratio, weight), ascending
        self._weight = 0
        self._failed: list[int] = []  # sizes, ascending
        self._limits: list[int] = []  # of the window, ascending
        self._told = self.cap()

    def predict(self, size: int) -> int | None:
        """Bytes that a batch of ``size`` bytes takes at the most; None before any was measured."""
        return -(-size * self._quantile() // _MICRO) if self._ratios else None

    def observe(self, sample: MemorySample) -> CapChange | None:
        """Learn from a batch: O(log n). The change, if memory ran out or the cap moved by an eighth."""
        self._remember(self._entry(sample))
        after, before = self.cap(), self._told
        if after == before or (sample.fitted and not _is_far(before, after)):
            return None
        self._told = after
        return CapChange(before, after, self._why(sample))

    def cap(self, limit: int = 0) -> int | None:
        """Bytes of one batch that are safe where a worker may hold ``limit`` bytes; None for no limit.

        It is below the smallest size that failed among the last 256 batches, whatever the limit.

        Args:
            limit: 0 for the smallest that the last samples named: what fits there fits every worker.
        """
        limit = limit or self._known_limit
        bounds = [] if self.maximum is None else [self.maximum]
        if limit:
            bounds.append(limit * 92 * _MICRO // (100 * self._ratio()))
        if self._failed:
            bounds.append(self._failed[0] * 4 // 5)
        return max(1, min(bounds)) if bounds else None

    def _entry(self, sample: MemorySample) -> _Remembered:
        size = max(1, sample.nbytes)
        if not sample.fitted:
            bound = sample.limit * 115 * _MICRO // (100 * size)
            return _Remembered(bound or None, _FAILED_WEIGHT, size, sample.limit or None)
        ratio = None if sample.peak is None else max(1, -(-sample.peak * _MICRO // size))
        return _Remembered(ratio, 1, None, sample.limit or None)

    def _remember(self, entry: _Remembered) -> None:
        if len(self._window) == WINDOW:
            self._forget(self._window.popleft())
        self._window.append(entry)
        if entry.ratio is not None:
            insort(self._ratios, (entry.ratio, entry.weight))
            self._weight += entry.weight
        if entry.failed_size is not None:
            insort(self._failed, entry.failed_size)
        if entry.limit is not None:
            insort(self._limits, entry.limit)

    def _forget(self, entry: _Remembered) -> None:
        if entry.ratio is not None:
            del self._ratios[bisect_left(self._ratios, (entry.ratio, entry.weight))]
            self._weight -= entry.weight
        if entry.failed_size is not None:
            del self._failed[bisect_left(self._failed, entry.failed_size)]
        if entry.limit is not None:
            del self._limits[bisect_left(self._limits, entry.limit)]

    @property
    def _known_limit(self) -> int:
        return self._limits[0] if self._limits else 0

    def _ratio(self) -> int:
        measured = self._quantile() if self._ratios else 0
        return measured if len(self._ratios) >= PROBE_SAMPLES else max(measured, _PROBE_RATIO)

    def _quantile(self) -> int:
        """The ratio that at most 1% of the weight lies above: few steps from the top."""
        above = 0
        for ratio, weight in reversed(self._ratios):
            above += weight
            if above * 100 > _TOP_PERCENT * self._weight:
                return ratio
        return self._ratios[0][0]

    def _why(self, sample: MemorySample) -> str:
        ratio = f"a batch is taken to need {self._ratio() / _MICRO:.2f} times its size"
        about = f"{ratio}, from {len(self._ratios)} batches measured"
        if not self._known_limit:
            about = "what a worker may hold is not known"
        if not sample.fitted:
            held = f" of the {format_bytes(sample.limit)} that a worker may hold" if sample.limit else ""
            return f"a batch of {format_bytes(sample.nbytes)} ran out of memory{held}; {about}"
        failed = f"the smallest that failed had {format_bytes(self._failed[0])}" if self._failed else ""
        return f"{about}; {failed or f'none of the last {len(self._window)} failed'}"


def _is_far(before: int | None, after: int | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) * 8 > before
