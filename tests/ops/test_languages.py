"""Near-duplicates are found in every script as often as theory says."""

import numpy as np
import pytest

from benchmarks.bench_languages import LANGUAGES, edits, kinds_of, measure, texts_of
from gpucurate.ops.minhash import PRESETS, MinHashParams

SCRIPTS = {
    "zh": range(0x4E00, 0x6000),
    "ja": [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), *range(0x4E00, 0x5200)],
    "ko": range(0xAC00, 0xB400),
    "ar": range(0x0621, 0x064B),
    "hi": [*range(0x0905, 0x093A), *range(0x093E, 0x094E)],
    "beyond the first plane": range(0x20000, 0x20800),
}


def texts(points, count=150):
    """Texts of 300 to 1500 letters of a script, with spaces."""
    rng = np.random.default_rng(len(points))
    choice = np.append(np.array(list(points)), [32] * (len(points) // 6))
    return [
        ("".join(map(chr, rng.choice(choice, size))), str(i))
        for i, size in enumerate(rng.integers(300, 1500, count))
    ]


@pytest.mark.parametrize("rule", ["affine32", "nvtext32", "fss"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_recall_of_edited_text_follows_the_s_curve(script, rule):
    found = measure(edits(texts(SCRIPTS[script]), copies=8), MinHashParams(rule=rule))
    assert found.pairs > 700
    assert found.recall == pytest.approx(found.curve, abs=0.012)


@pytest.mark.truth
@pytest.mark.parametrize("rule", ["affine32", "fss"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_recall_of_published_text(truth_data, language, rule):
    for kind, pairs in kinds_of(language, texts_of(truth_data, language)):
        found = measure(pairs, MinHashParams(rule=rule))
        assert found.pairs > 200, kind
        assert found.recall == pytest.approx(found.curve, abs=0.015), kind


@pytest.mark.truth
@pytest.mark.parametrize("language", LANGUAGES)
def test_recall_by_nemos_settings(truth_data, language):
    for kind, pairs in kinds_of(language, texts_of(truth_data, language)):
        found = measure(pairs, PRESETS["nemo"].params)
        assert found.recall >= found.curve - 0.03, kind
