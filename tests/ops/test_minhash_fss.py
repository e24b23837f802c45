"""Fast Similarity Sketching equals its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams, band_keys, signatures
from gpucurate.ops.mixing import fmix32
from tests.ops import texts
from tests.ops.test_minhash import M32, reference_keys, shingles


def word(done, mixed):
    """The word of a round: the round, then the upper bits of what was mixed."""
    return done << 24 | mixed >> 8 if done < 255 else 255 << 24 | (done - 255) << 11 | mixed >> 21


def reference_signature(document, params):
    """The minimum over every round and shingle, without a rule to stop."""
    size, hashes = params.num_permutations, [int(x) for x in shingles(document, params)]
    slots = [M32 - 1] * size
    for done, multiplier in enumerate(int(m) for m in params.multipliers()):
        for x in hashes:
            mixed = fmix32(x * multiplier % M32)
            place, mixed = divmod(mixed * size, M32) if done < size else (done - size, mixed)
            slots[place] = min(slots[place], word(done, mixed))
    return slots


def check(documents, params, text=None):
    text = text or TextBuffers.from_strings(documents)
    expected = [reference_signature(d, params) for d in documents]
    assert signatures(text, params).tolist() == expected
    keys, has_keys = band_keys(text, params)
    assert has_keys.tolist() == [len(shingles(d, params)) > 0 for d in documents]
    assert keys[has_keys].tolist() == [
        reference_keys(s, params) for s, ok in zip(expected, has_keys, strict=True) if ok
    ]
    assert not keys[~has_keys].any()


parameters = st.builds(
    MinHashParams,
    bands=st.integers(1, 5),
    rows=st.integers(1, 4),
    shingle=st.sampled_from(["char", "word"]),
    ngram=st.integers(1, 30),
    seed=st.integers(0, 2**64 - 1),
    rule=st.just("fss"),
)


@settings(deadline=None, max_examples=60)
@given(texts.documents, parameters)
def test_any_text_and_parameters(documents, params):
    check(documents, params)


@pytest.mark.parametrize("shingle", ["char", "word"])
def test_awkward_documents_as_slices(shingle):
    short = [d for d in texts.AWKWARD if d is None or len(d) < 2000]
    check(short, MinHashParams(4, 3, shingle, 5, rule="fss"), texts.as_slice(short))


def test_more_than_255_rounds():
    params = MinHashParams(20, 13, ngram=2, rule="fss")
    check(["ab", "abc", "abcdef"], params)
    assert (signatures(TextBuffers.from_strings(["ab"]), params) >= 255 << 24).any()


def test_a_sketch_of_parts_is_the_minimum_of_their_sketches():
    rng = np.random.default_rng(0)
    parts = [" ".join(f"w{n}" for n in rng.integers(0, 10**6, size)) for size in (3, 40, 700, 3000)]
    whole = signatures(
        TextBuffers.from_strings([" ".join(parts)]), params := MinHashParams(16, 8, "word", 1, rule="fss")
    )
    assert np.array_equal(signatures(TextBuffers.from_strings(parts), params).min(axis=0), whole[0])


@pytest.mark.parametrize("few", ["a", "ab", "abcdefghij"])
def test_long_text_of_few_shingles_is_as_quick_as_other_text(few):
    """Its slots fill in late rounds; shingles seen before are not taken through them again."""
    params = MinHashParams(16, 8, rule="fss")
    long, short = few * (2_000_000 // len(few)), few * 40
    values = signatures(TextBuffers.from_strings([long, short]), params)
    assert np.array_equal(values[0], values[1])


def test_shingles_that_crowd_each_other_out_of_the_filter_change_nothing():
    rng = np.random.default_rng(1)
    document = "".join(map(chr, rng.integers(97, 101, 5000)))
    check([document], MinHashParams(64, 16, ngram=3, rule="fss"))
