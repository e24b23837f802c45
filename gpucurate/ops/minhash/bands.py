"""How many bands of how many rows: the S-curve and its choice."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from gpucurate.ops.minhash.params import MAX_PERMUTATIONS
from gpucurate.spec.errors import ConfigurationError

Column = npt.NDArray[np.float64]

_NODES = 64  # of the quadrature: its error is far below the difference between two choices


def candidate_probability(jaccard: float, bands: int, rows: int) -> float:
    """Probability that two documents of this Jaccard similarity share a band key: the S-curve.

    Source: J. Leskovec, A. Rajaraman, J. Ullman, "Mining of Massive Datasets", section 3.4.

    Example:
        >>> round(candidate_probability(0.8, bands=16, rows=8), 3)
        0.947
    """
    return float(1.0 - (1.0 - jaccard**rows) ** bands)


def curve(bands: int, rows: int, points: int = 20) -> list[tuple[float, float]]:
    """The S-curve at ``points + 1`` similarities from 0 to 1: (similarity, probability).

    Example:
        >>> curve(16, 8, points=2)[1]
        (0.5, 0.0607...)
    """
    return [(j / points, candidate_probability(j / points, bands, rows)) for j in range(points + 1)]


def choose_bands(threshold: float, permutations: int = 128) -> tuple[int, int]:
    """The bands and rows whose S-curve comes closest to a step at ``threshold``.

    The area under the curve below the threshold (pairs found that should not be) and the area over
    it above the threshold (pairs missed) count alike; of all bands x rows <= permutations the
    choice with the least sum is taken, of equal ones that with fewer rows. The criterion is
    that of E. Zhu et al., "LSH Ensemble", VLDB 2016, and of datasketch; the integrals are by
    Gauss-Legendre quadrature.

    Args:
        threshold: Jaccard similarity, above 0 and below 1.
        permutations: values of a signature at most.

    Raises:
        ConfigurationError: a number is outside its range.

    Example:
        >>> choose_bands(0.8)
        (9, 13)
    """
    if not 0 < threshold < 1:
        raise ConfigurationError(f"threshold must lie between 0 and 1, neither included; got {threshold!r}")
    if not 1 <= permutations <= MAX_PERMUTATIONS:
        raise ConfigurationError(f"permutations must be from 1 to {MAX_PERMUTATIONS}; got {permutations!r}")
    best, choice = np.inf, (1, 1)
    for rows in range(1, permutations + 1):
        areas = _errors(threshold, rows, permutations // rows)
        bands = int(np.argmin(areas)) + 1
        if areas[bands - 1] < best:
            best, choice = float(areas[bands - 1]), (bands, rows)
    return choice


@cache
def _quadrature() -> tuple[Column, Column]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def _errors(threshold: float, rows: int, most_bands: int) -> Column:
    """Both areas together for 1 .. ``most_bands`` bands of ``rows`` rows."""
    nodes, weights = _quadrature()
    bands = np.arange(1, most_bands + 1)[:, None]
    below, above = threshold * (nodes + 1) / 2, threshold + (1 - threshold) * (nodes + 1) / 2
    found = ((1 - (1 - below**rows) ** bands) * weights).sum(axis=1) * threshold / 2
    missed = ((1 - above**rows) ** bands * weights).sum(axis=1) * (1 - threshold) / 2
    areas: Column = found + missed
    return areas
