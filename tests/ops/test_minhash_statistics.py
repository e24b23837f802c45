"""The sketch estimates Jaccard similarity as well as ideal hashing would."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams, band_keys, candidate_probability, signatures

PARAMS = MinHashParams(16, 8, "word", 1)
K = PARAMS.num_permutations
TRIALS = {50: 6000, 300: 2000, 5000: 300}


@cache
def pairs(shingles, jaccard):
    """Pairs of documents, the shingles of whose union are distinct, and their exact similarity."""
    rng = np.random.default_rng(shingles)
    common = round(jaccard * shingles)
    documents = []
    for _ in range(TRIALS[shingles]):
        union = [f"{w:x}" for w in rng.integers(0, 2**60, shingles)]
        half = (shingles - common) // 2
        documents += [" ".join(union[: common + half]), " ".join(union[:common] + union[common + half :])]
    return TextBuffers.from_strings(documents), common / shingles


@pytest.mark.parametrize("jaccard", [0.5, 0.8])
@pytest.mark.parametrize("shingles", TRIALS)
def test_bias_and_variance(shingles, jaccard):
    text, exact = pairs(shingles, jaccard)
    values = signatures(text, PARAMS)
    check_errors((values[::2] == values[1::2]).mean(axis=1) - exact, exact, shingles, 1)


def check_errors(errors, exact, shingles, relative):
    """No bias; and the root of the mean square is ``relative`` times that of K independent values."""
    sigma, trials = np.sqrt(exact * (1 - exact) / K), TRIALS[shingles]
    assert abs(errors.mean()) < 4 * sigma / np.sqrt(trials)
    assert np.sqrt((errors**2).mean()) / sigma == pytest.approx(relative, abs=4 / np.sqrt(2 * trials) + 0.01)


@cache
def pairs_of_characters(shingles, jaccard):
    """The same of documents of distinct characters, some exchanged, with shingles of four."""
    rng = np.random.default_rng(shingles)
    documents, differing = [], round(shingles * (1 - jaccard) / (1 + jaccard))
    for _ in range(TRIALS[shingles]):
        union = rng.permutation(np.arange(0x4E00, 0x9F00))[: shingles * 2 + 3]
        one, other = union[: shingles + 3].copy(), union[: shingles + 3].copy()
        other[:differing] = union[shingles + 3 : shingles + 3 + differing]
        documents += ["".join(map(chr, one)), "".join(map(chr, other))]
    return TextBuffers.from_strings(documents), (shingles - differing) / (shingles + differing)


@pytest.mark.parametrize("jaccard", [0.5, 0.8])
@pytest.mark.parametrize("shingles", TRIALS)
@pytest.mark.parametrize("rule", ["nvtext32", "nvtext64"])
def test_bias_and_variance_of_the_values_of_cudf(rule, shingles, jaccard):
    text, exact = pairs_of_characters(shingles, jaccard)
    values = signatures(text, MinHashParams(16, 8, ngram=4, seed=42, rule=rule))
    check_errors((values[::2] == values[1::2]).mean(axis=1) - exact, exact, shingles, 1)


@pytest.mark.parametrize("jaccard", [0.5, 0.8])
@pytest.mark.parametrize(("shingles", "relative"), [(50, 0.71), (300, 0.83), (5000, 1.0)])
def test_bias_and_variance_of_fss(shingles, relative, jaccard):
    """Of 50 shingles three tenths less than of MinHash, of many the same."""
    text, exact = pairs(shingles, jaccard)
    values = signatures(text, replace(PARAMS, rule="fss"))
    check_errors((values[::2] == values[1::2]).mean(axis=1) - exact, exact, shingles, relative)


@pytest.mark.parametrize("jaccard", [0.5, 0.8])
@pytest.mark.parametrize("shingles", TRIALS)
def test_candidates_of_fss_are_at_most_a_little_rarer_than_the_curve(shingles, jaccard):
    """Slots of one sketch are not quite independent when there are fewer shingles than slots."""
    text, exact = pairs(shingles, jaccard)
    keys, _ = band_keys(text, replace(PARAMS, rule="fss"))
    rate = (keys[::2] == keys[1::2]).any(axis=1).mean()
    curve = candidate_probability(exact, PARAMS.bands, PARAMS.rows)
    assert rate == pytest.approx(curve, abs=4 * np.sqrt(curve * (1 - curve) / TRIALS[shingles]) + 0.02)


@pytest.mark.parametrize("jaccard", [0.5, 0.8])
@pytest.mark.parametrize("shingles", TRIALS)
def test_candidates_follow_the_curve(shingles, jaccard):
    text, exact = pairs(shingles, jaccard)
    keys, _ = band_keys(text, PARAMS)
    rate = (keys[::2] == keys[1::2]).any(axis=1).mean()
    curve = candidate_probability(exact, PARAMS.bands, PARAMS.rows)
    assert rate == pytest.approx(curve, abs=4 * np.sqrt(curve * (1 - curve) / TRIALS[shingles]) + 0.005)


def test_values_are_independent_of_each_other():
    text, exact = pairs(300, 0.5)
    values = signatures(text, PARAMS)
    match = (values[::2] == values[1::2]).astype(float)
    correlation = np.corrcoef(match, rowvar=False)
    np.fill_diagonal(correlation, 0)
    assert abs(correlation.mean()) < 0.003
    pairs_of_one_product = correlation[np.arange(0, K, 2), np.arange(1, K, 2)]
    assert abs(pairs_of_one_product.mean()) < 0.02
    assert exact == 0.5


def test_shingles_collide_no_more_than_random_numbers_would():
    rng = np.random.default_rng(1)
    letters = rng.integers(97, 123, (400_000, 5)).astype(np.uint8)
    distinct = np.unique(letters.view("S5"))
    text = TextBuffers(letters.reshape(-1), np.arange(len(letters) + 1) * 5)
    found = len(np.unique(signatures(text, MinHashParams(1, 1, "char", 5))))
    expected = len(distinct) ** 2 / 2 / 2**31
    assert len(distinct) - found < expected + 6 * np.sqrt(expected)


def test_keys_of_different_documents_do_not_collide():
    rng = np.random.default_rng(2)
    letters = rng.integers(97, 123, 40 * 50_000).astype(np.uint8)
    keys, _ = band_keys(TextBuffers(letters, np.arange(50_001) * 40), MinHashParams())
    assert len(np.unique(keys)) == keys.size
