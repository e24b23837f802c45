"""Bands and rows for a threshold of similarity, and what they find: the S-curve as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpucurate.ops.minhash import candidate_probability, choose_bands, curve
from gpucurate.ops.minhash.params import MAX_PERMUTATIONS
from gpucurate.spec.errors import ConfigurationError

PERMUTATIONS = 128
"""Values of a signature where only a threshold is given."""

LEAST_RECALL = 0.95
"""Share of the pairs at the threshold that are to be found where those below it are discarded anyway."""

_POINTS = 2000


@dataclass(frozen=True, slots=True)
class Banding:
    """Bands and rows, and the threshold that they are to tell pairs by.

    Attributes:
        threshold: of similarity.
        bands: keys a document.
        rows: values a key.
    """

    threshold: float
    bands: int
    rows: int

    @property
    def found_below(self) -> float:
        """Area under the S-curve below the threshold: false positives of evenly spread similarities."""
        points = np.linspace(0.0, self.threshold, _POINTS)
        return float(np.trapezoid(1.0 - (1.0 - points**self.rows) ** self.bands, points))

    @property
    def missed_above(self) -> float:
        """Area over the S-curve above the threshold: false negatives."""
        points = np.linspace(self.threshold, 1.0, _POINTS)
        return float(np.trapezoid((1.0 - points**self.rows) ** self.bands, points))

    def table(self) -> list[tuple[float, float]]:
        """Probability that a pair is found, for similarities from 0.5 to 1: (similarity, probability)."""
        return [(j, p) for j, p in curve(self.bands, self.rows) if j >= 0.5]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the report."""
        return {
            "threshold": self.threshold,
            "bands": self.bands,
            "rows": self.rows,
            "found": [[round(j, 2), round(p, 6)] for j, p in self.table()],
            "found_below": round(self.found_below, 6),
            "missed_above": round(self.missed_above, 6),
        }


def band_for(threshold: float, permutations: int, *, verifies: bool) -> Banding:
    """Bands and rows for a threshold.

    Without verification what is found below the threshold costs as much as what is missed above it
    (:func:`~gpucurate.ops.minhash.choose_bands`). With verification it costs comparisons only: the
    most rows are taken that find a pair at the threshold with probability ``LEAST_RECALL``.

    Args:
        threshold: of similarity, above 0 and at most 1.
        permutations: values of a signature at most.
        verifies: whether pairs are verified.

    Raises:
        ConfigurationError: a number of permutations that is not possible.

    >>> band_for(0.8, 128, verifies=True)
    Banding(threshold=0.8, bands=18, rows=7)
    """
    if not 1 <= permutations <= MAX_PERMUTATIONS:
        raise ConfigurationError(
            f"permutations={permutations} cannot be shared out among bands: give from 1 to {MAX_PERMUTATIONS}"
        )
    if verifies or threshold == 1:
        return Banding(threshold, *_recalling(threshold, permutations))
    return Banding(threshold, *choose_bands(threshold, permutations))


def _recalling(threshold: float, permutations: int) -> tuple[int, int]:
    for rows in range(permutations, 1, -1):
        bands = permutations // rows
        if candidate_probability(threshold, bands, rows) >= LEAST_RECALL:
            return bands, rows
    return permutations, 1
