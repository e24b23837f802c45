"""Memory of a GPU that several workers share."""

from __future__ import annotations

from gpucurate.backends.gpu_share import memory_share
from gpucurate.spec.cluster import Place

SIZES = {"0": 80_000_000_000, "1": 40_000_000_000}


def test_four_quarters_are_what_one_worker_would_take():
    quarter = memory_share(Place("here", (("0", 250),)), SIZES)
    assert quarter == 18_000_000_000
    assert 4 * quarter == int(0.9 * SIZES["0"])


def test_a_worker_that_shares_none_is_given_no_limit():
    assert memory_share(Place("here"), SIZES) is None
    assert memory_share(Place("here", (("0", 1000), ("1", 1000))), SIZES) is None


def test_the_smaller_of_two_gpus_decides_and_an_unknown_one_sets_no_limit():
    assert memory_share(Place("here", (("0", 500), ("1", 500))), SIZES) == 18_000_000_000
    assert memory_share(Place("here", (("0", 500),)), {"0": 0}) is None
