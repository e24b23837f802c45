"""The S-curve, and the bands that come closest to a threshold."""

import numpy as np
import pytest

from gpucurate.ops.minhash import candidate_probability, choose_bands, curve
from gpucurate.spec.errors import ConfigurationError


def test_the_curve_runs_from_never_to_always():
    points = curve(16, 8)
    assert points[0] == (0, 0)
    assert points[-1] == (1, 1)
    assert points == sorted(points)
    assert len(points) == 21
    assert dict(points)[0.8] == candidate_probability(0.8, 16, 8)


def errors(threshold, bands, rows):
    """Both areas by the rule of the middle."""
    middles = (np.arange(20_000) + 0.5) / 20_000
    found = 1 - (1 - middles**rows) ** bands
    return np.where(middles < threshold, found, 1 - found).mean()


@pytest.mark.parametrize("permutations", [1, 7, 64, 128])
@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.7, 0.8, 0.95])
def test_no_other_choice_is_better(threshold, permutations):
    bands, rows = choose_bands(threshold, permutations)
    assert bands * rows <= permutations
    least = min(
        errors(threshold, b, r) for r in range(1, permutations + 1) for b in range(1, permutations // r + 1)
    )
    assert errors(threshold, bands, rows) <= least + 1e-6


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_the_choice_is_that_of_datasketch(threshold):
    lsh = pytest.importorskip("datasketch").MinHashLSH(threshold=threshold, num_perm=128)
    assert choose_bands(threshold, 128) == (lsh.b, lsh.r)


def test_the_most_permutations_take_a_moment():
    bands, rows = choose_bands(0.8, 4096)
    assert candidate_probability(0.72, bands, rows) < 0.1
    assert candidate_probability(0.88, bands, rows) > 0.9


@pytest.mark.parametrize(
    ("threshold", "permutations"), [(0, 128), (1, 128), (-1, 128), (0.8, 0), (0.8, 4097)]
)
def test_what_cannot_be_is_refused(threshold, permutations):
    with pytest.raises(ConfigurationError, match="got"):
        choose_bands(threshold, permutations)
