"""Whether figures that come one after the other rise, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median, stdev

BLOCKS = 8
"""The samples are taken as so many blocks, each as its median: single outliers, such as what a large
document took, do not count."""

STUDENT = {0.95: 2.447, 0.999: 5.959}
"""Student's t, two-sided, of six degrees of freedom: eight blocks have seven steps between them."""

FADING = 0.75
"""A rise whose last steps are less than so much of its first ones will end by itself: a cache that fills."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through samples.

    Attributes:
        slope: by which each sample is higher than the one before.
        low: lower end of the slope's confidence interval.
        high: upper end.
        confidence: of the interval.
        rise: from the first block to the last.
        fades: whether the last steps are clearly smaller than the first ones.
    """

    slope: float
    low: float
    high: float
    confidence: float
    rise: float
    fades: bool


def trend_of(samples: Sequence[float], confidence: float = 0.999) -> Trend | None:
    """The trend of samples at equal distances; None of fewer than two a block.

    The interval is that of the mean step between blocks, by Student's t. Steps rather than levels, so that
    a walk with no direction, whose levels drift and hang together, is not taken for a rise.

    Args:
        samples: in order; of more than a multiple of eight the oldest are left out.
        confidence: 0.95 or 0.999.

    >>> trend_of([float(3 * i) for i in range(32)]).slope
    3.0
    """
    size = len(samples) // BLOCKS
    if size < 2:
        return None
    used = samples[len(samples) - size * BLOCKS :]
    levels = [median(used[at : at + size]) for at in range(0, len(used), size)]
    steps = [(after - before) / size for before, after in pairwise(levels)]
    slope = fmean(steps)
    half = STUDENT[confidence] * stdev(steps) / len(steps) ** 0.5
    fades = sum(steps[-3:]) < FADING * sum(steps[:3])
    return Trend(slope, slope - half, slope + half, confidence, levels[-1] - levels[0], fades)
