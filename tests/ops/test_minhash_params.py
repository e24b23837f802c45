"""Parameters of a sketch."""

import numpy as np
import pytest

from gpucurate.ops.minhash import PRESETS, MinHashParams, candidate_probability
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize(
    "wrong",
    [
        {"bands": 0},
        {"rows": -1},
        {"bands": 4097},
        {"bands": 100, "rows": 100},
        {"ngram": 0},
        {"ngram": 257},
        {"seed": -1},
        {"bands": 1.5},
        {"rows": True},
        {"shingle": "byte"},
        {"rule": "affine64"},
    ],
)
def test_what_cannot_be_is_refused_with_what_was_given(wrong):
    with pytest.raises(ConfigurationError) as refusal:
        MinHashParams(**wrong)
    value = 10_000 if len(wrong) == 2 else next(iter(wrong.values()))
    assert repr(value) in str(refusal.value)


@pytest.mark.parametrize("rule", ["nvtext32", "nvtext64"])
@pytest.mark.parametrize("wrong", [{"shingle": "word"}, {"ngram": 1}, {"seed": 2**32}])
def test_what_cudf_or_numpy_would_not_take_is_refused_for_their_rules(rule, wrong):
    MinHashParams(**wrong)
    with pytest.raises(ConfigurationError, match=rule) as refusal:
        MinHashParams(**wrong, rule=rule)
    assert repr(next(iter(wrong.values()))) in str(refusal.value)


def test_multipliers_are_odd_reproducible_and_depend_on_the_seed():
    first, again, other = (MinHashParams(seed=s).multipliers() for s in (7, 7, 8))
    assert len(first) == 64
    assert (first & 1).all()
    assert np.array_equal(first, again)
    assert len(np.intersect1d(first, other)) == 0


def test_multipliers_of_seed_zero_are_the_published_sequence():
    # splitmix64 from 0 begins e220a8397b1dcdaf, 6e789e6aa1b965f4
    assert [hex(a) for a in MinHashParams(1, 4).multipliers()] == ["0xe220a839", "0x6e789e6b"]


def test_fewer_permutations_are_a_prefix_of_more():
    few, many = MinHashParams(2, 8).multipliers(), MinHashParams(16, 8).multipliers()
    assert np.array_equal(few, many[: len(few)])


@pytest.mark.parametrize(
    ("preset", "at_8", "permutations"),
    [("default", 0.947, 128), ("nemo", 0.677, 260), ("fineweb", 0.924, 112), ("dolma", 0.903, 286)],
)
def test_presets_have_the_curves_that_they_are_known_for(preset, at_8, permutations):
    params = PRESETS[preset].params
    assert params.num_permutations == permutations
    assert candidate_probability(0.8, params.bands, params.rows) == pytest.approx(at_8, abs=5e-4)


def test_only_nemo_takes_raw_text_and_the_values_of_cudf():
    assert [name for name, preset in PRESETS.items() if not preset.normalize] == ["nemo"]
    assert {
        name: preset.params.rule for name, preset in PRESETS.items() if preset.params.rule != "affine32"
    } == {"nemo": "nvtext32"}


def test_a_round_of_fss_has_a_multiplier_of_its_own():
    numbers = MinHashParams(16, 8, rule="fss").multipliers()
    assert len(numbers) == len(set(numbers.tolist())) == 256
    assert np.array_equal(numbers[:64], MinHashParams(16, 8).multipliers())
