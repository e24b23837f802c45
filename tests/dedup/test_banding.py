"""Bands and rows for a threshold."""

from __future__ import annotations

import pytest

from gpucurate.dedup.banding import LEAST_RECALL, Banding, band_for
from gpucurate.ops.minhash import candidate_probability, choose_bands
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.97])
def test_a_threshold_alone_balances_what_is_found_and_what_is_missed(threshold: float) -> None:
    chosen = band_for(threshold, 128, verifies=False)
    assert (chosen.bands, chosen.rows) == choose_bands(threshold, 128)
    for rows in range(1, 129):
        for bands in {1, 128 // rows // 2 or 1, 128 // rows}:
            other = Banding(threshold, bands, rows)
            least = chosen.found_below + chosen.missed_above
            assert least <= other.found_below + other.missed_above + 1e-5


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 1.0])
@pytest.mark.parametrize("permutations", [64, 128, 256])
def test_where_pairs_are_verified_those_at_the_threshold_are_found(
    threshold: float, permutations: int
) -> None:
    chosen = band_for(threshold, permutations, verifies=True)
    assert candidate_probability(threshold, chosen.bands, chosen.rows) >= LEAST_RECALL
    assert chosen.bands * chosen.rows <= permutations
    more = chosen.rows + 1
    if more <= permutations:
        assert candidate_probability(threshold, permutations // more, more) < LEAST_RECALL


def test_equal_sets_take_one_band_of_all_rows() -> None:
    assert band_for(1.0, 100, verifies=False) == Banding(1.0, 1, 100)


def test_areas_are_those_under_and_over_the_curve() -> None:
    banding = Banding(0.5, 1, 1)  # a straight line
    assert banding.found_below == pytest.approx(0.125)
    assert banding.missed_above == pytest.approx(0.125)
    assert banding.to_dict()["found"][0] == [0.5, 0.5]
    assert banding.to_dict()["found"][-1] == [1.0, 1.0]


@pytest.mark.parametrize("permutations", [0, 5000])
def test_permutations_that_are_not_possible_are_refused(permutations: int) -> None:
    for verifies in (False, True):
        with pytest.raises(ConfigurationError, match=f"permutations.*{permutations}"):
            band_for(0.8, permutations, verifies=verifies)
