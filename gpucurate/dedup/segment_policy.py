"""Which occurrences of a segment are cut: a policy over groups that are already found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from gpucurate.spec.errors import ConfigurationError

KeepSegment = Literal["first", "none"]
KEEP_SEGMENT: tuple[KeepSegment, ...] = get_args(KeepSegment)

Ids = npt.NDArray[np.uint32]

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class CutPolicy:
    """What is cut of the occurrences of a segment.

    Attributes:
        keep: ``first``: all but the first one; ``none``: every one.
        min_count: only of segments that occur so often.

    Raises:
        ConfigurationError: not a policy.
    """

    keep: KeepSegment = "first"
    min_count: int = 2

    def __post_init__(self) -> None:
        if self.keep not in KEEP_SEGMENT:
            raise ConfigurationError(f"keep={self.keep!r} is not a policy: choose {', '.join(KEEP_SEGMENT)}")
        if self.min_count < 2:
            raise ConfigurationError(
                f"min_count is {self.min_count}: it must be at least 2, or segments that occur once would go"
            )

    def cut(self, labels: Ids, sizes: Ids, first: int, stop: int) -> npt.NDArray[np.bool_]:
        """Whether each segment of ``first .. stop`` is cut.

        Args:
            labels: uint32[m], of each segment its first occurrence.
            sizes: uint32[m], at a first occurrence how many there are.
            first: a segment.
            stop: one after the last.
        """
        own = labels[first:stop]
        cut: npt.NDArray[np.bool_] = sizes[own] >= self.min_count
        if self.keep == "first":
            cut &= own != np.arange(first, stop, dtype=np.uint32)
        return cut


def most_frequent(sizes: Ids, count: int, min_count: int = 2) -> list[int]:
    """First occurrences of the segments that occur most, the most frequent first; of equals the earlier.

    Args:
        sizes: as above.
        count: how many at most.
        min_count: only those that occur so often.
    """
    best: list[tuple[int, int]] = []
    for first in range(0, len(sizes), _STEP):
        some = sizes[first : first + _STEP]
        least = max(min_count, -best[-1][0] + 1 if len(best) == count else 0)
        places = np.flatnonzero(some >= least)
        order = np.lexsort((places, -some[places].astype(np.int64)))[:count]
        best += [(-int(some[place]), first + int(place)) for place in places[order]]
        best = sorted(best)[:count]
    return [place for _, place in best]
