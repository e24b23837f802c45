"""What preset, sketch and compat make of each other."""

import pyarrow as pa
import pytest

from gpucurate.ops.minhash import PRESETS, MinHashParams
from gpucurate.spec.errors import ConfigurationError
from gpucurate.workflows import one_line
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow, fuzzy_sketch


def params(preset="default", normalize=None, given=None, **kind):
    return fuzzy_sketch(preset, normalize, given or {}, **kind).params


def test_without_more_the_preset_decides():
    for name, preset in PRESETS.items():
        sketch = fuzzy_sketch(name, None, {"bands": None})
        assert (sketch.params, sketch.normalized) == (preset.params, preset.normalize)


def test_fss_takes_the_place_of_the_rule_of_any_preset():
    assert params(sketch="fss") == MinHashParams(rule="fss")
    assert params("nemo", sketch="fss").rule == "fss"
    assert params("fineweb", sketch="fss").shingle == "word"
    assert params(sketch="minhash") == MinHashParams()


def test_compat_is_the_preset_and_takes_nemos_parameters():
    assert fuzzy_sketch("default", None, {}, compat="nemo") == fuzzy_sketch("nemo", None, {})
    assert fuzzy_sketch("default", False, {}, compat="nemo") == fuzzy_sketch("nemo", None, {})
    given = {"bands": 10, "rows": 5, "ngram": 30, "seed": 7, "shingle": "char"}
    assert params(given=given, compat="nemo") == MinHashParams(10, 5, "char", 30, 7, "nvtext32")
    assert params(compat="nemo", use_64_bit_hash=True).rule == "nvtext64"
    assert params("nemo", use_64_bit_hash=True).rule == "nvtext64"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"preset": "fineweb", "compat": "nemo"}, "preset='fineweb'"),
        ({"sketch": "fss", "compat": "nemo"}, "sketch='fss'"),
        ({"normalize": True, "compat": "nemo"}, "normalization"),
        ({"given": {"shingle": "word"}, "compat": "nemo"}, "shingle='word'"),
        ({"given": {"shingle": "word"}, "preset": "nemo"}, "'word'"),
        ({"given": {"ngram": 1}, "compat": "nemo"}, "got 1"),
        ({"given": {"seed": 2**32}, "compat": "nemo"}, "got 4294967296"),
        ({"use_64_bit_hash": True}, "compat='nemo'"),
        ({"use_64_bit_hash": True, "preset": "nemo", "sketch": "fss"}, "no sketch='fss'"),
        ({"sketch": "simhash"}, "'simhash'"),
        ({"compat": "datatrove"}, "'datatrove'"),
        ({"preset": "c4"}, "'c4'"),
    ],
)
def test_contradictions_are_refused_with_what_was_given(options, names):
    with pytest.raises(ConfigurationError, match=names):
        params(**options)


def test_the_workflow_passes_them_on(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "a text"}\n')
    made = FuzzyDeduplicationWorkflow(
        tmp_path / "in.jsonl", tmp_path / "out", compat="nemo", use_64_bit_hash=True
    )
    assert made.sketch.params.rule == "nvtext64"
    made = FuzzyDeduplicationWorkflow(tmp_path / "in.jsonl", tmp_path / "out", sketch="fss")
    assert made.sketch.params.rule == "fss"


@pytest.mark.parametrize("kind", [{"sketch": "fss"}, {"compat": "nemo", "use_64_bit_hash": True}])
def test_a_frame_takes_them_too(kind):
    frame = pa.table({"text": ["a cat sat on the mat", "a cat sat on the mat", "a dog", ""]})
    assert one_line.fuzzy_dedup(frame, **kind).duplicates == 1
    with pytest.raises(ConfigurationError, match="sketch='fss'"):
        one_line.fuzzy_dedup(frame, sketch="fss", compat="nemo")
