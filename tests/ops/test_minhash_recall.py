"""Near-duplicates with known similarity are found as often as theory says."""

from dataclasses import replace

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import (
    PRESETS,
    band_keys,
    candidate_probability,
    choose_bands,
    equal_values,
    signatures,
)

COLUMNS = {("char", 5): "j_char5", ("char", 24): "j_char24", ("word", 5): "j_word5"}


def recall_and_curve(revisions, params):
    """Of raw text, at similarities of 0.8 and more: recall by band keys, and what the S-curve promises."""
    left, right, jaccard = revisions.among(COLUMNS[params.shingle, params.ngram], 0.8)
    keys, _ = band_keys(TextBuffers.from_strings(revisions.documents), params)
    assert len(left) > 1500
    curve = np.mean([candidate_probability(j, params.bands, params.rows) for j in jaccard])
    return (keys[left] == keys[right]).any(axis=1).mean(), curve


@pytest.mark.truth
@pytest.mark.parametrize("preset", PRESETS)
def test_recall_of_revisions(revisions, preset):
    recall, curve = recall_and_curve(revisions, PRESETS[preset].params)
    assert recall == pytest.approx(curve, abs=0.01)


@pytest.mark.truth
@pytest.mark.parametrize("preset", PRESETS)
def test_recall_of_revisions_by_fast_similarity_sketching(revisions, preset):
    recall, curve = recall_and_curve(revisions, replace(PRESETS[preset].params, rule="fss"))
    assert recall == pytest.approx(curve, abs=0.01)


@pytest.mark.truth
def test_recall_of_revisions_by_nemos_values_of_64_bits(revisions):
    recall, curve = recall_and_curve(revisions, replace(PRESETS["nemo"].params, rule="nvtext64"))
    assert recall == pytest.approx(curve, abs=0.01)


@pytest.mark.truth
@pytest.mark.parametrize("threshold", [0.7, 0.8])
def test_recall_with_bands_chosen_for_a_threshold(revisions, threshold):
    bands, rows = choose_bands(threshold)
    recall, curve = recall_and_curve(revisions, replace(PRESETS["default"].params, bands=bands, rows=rows))
    assert recall == pytest.approx(curve, abs=0.01)


@pytest.mark.truth
@pytest.mark.parametrize("rule", ["affine32", "fss"])
def test_agreement_of_signatures_estimates_the_similarity(revisions, rule):
    params = replace(PRESETS["default"].params, rule=rule)
    text = TextBuffers.from_strings(revisions.documents)
    left, right, jaccard = revisions.among("j_char5")
    variance = jaccard * (1 - jaccard) / params.num_permutations
    for seed in range(3):  # all pairs of a seed err together: pages share their boilerplate
        values = signatures(text, replace(params, seed=seed))
        errors = equal_values(values, left, right) / params.num_permutations - jaccard
        assert abs(errors.mean()) < 0.03
        assert np.sqrt((errors**2).mean()) < 1.3 * np.sqrt(variance.mean())
