"""Signatures and band keys equal their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams, band_keys, keys_and_signatures, signatures
from gpucurate.ops.mixing import fmix32, fmix64
from tests.ops import texts

BASE, BAND_STEP = 0x9E3779B1, 0xD6E8FEB86659FD93
M32, M64 = 2**32, 2**64


def polynomial(values):
    total = 0
    for value in values:
        total = (total * BASE + value) % M32
    return total


def value(unit):
    return fmix32(polynomial(map(ord, unit)))


def shingles(document, params):
    windows = texts.shingles(document, params.shingle, params.ngram)
    unit = value if params.shingle == "word" else ord
    return np.array([fmix32(polynomial(map(unit, w))) | 1 for w in windows], np.uint64)


def reference_signature(document, params):
    hashes = shingles(document or "", params)
    if not len(hashes):
        return [M32 - 1] * params.num_permutations
    products = [hashes * a % M32 for a in params.multipliers().astype(np.uint64)]
    pairs = [(int(p.min()), M32 - 1 - int(p.max())) for p in products]
    return [value for pair in pairs for value in pair][: params.num_permutations]


def reference_keys(signature, params):
    keys = []
    for band in range(params.bands):
        key = fmix64(band + 1)
        for value in signature[band * params.rows : (band + 1) * params.rows]:
            key = (key ^ value) * BAND_STEP % M64
            key ^= key >> 32
        keys.append(fmix64(key))
    return keys


def check(documents, params, text=None):
    text = text or TextBuffers.from_strings(documents)
    expected = [reference_signature(d, params) for d in documents]
    has_shingle = [len(shingles(d or "", params)) > 0 for d in documents]
    assert signatures(text, params).tolist() == expected
    keys, has_keys = band_keys(text, params)
    assert has_keys.tolist() == has_shingle
    blank = [0] * params.bands
    assert keys.tolist() == [
        reference_keys(s, params) if ok else blank for s, ok in zip(expected, has_shingle, strict=True)
    ]
    assert keys.flags.c_contiguous
    assert keys.dtype == np.uint64


parameters = st.builds(
    MinHashParams,
    bands=st.integers(1, 5),
    rows=st.integers(1, 5),
    shingle=st.sampled_from(["char", "word"]),
    ngram=st.integers(1, 30),
    seed=st.integers(0, 2**64 - 1),
)


@settings(deadline=None, max_examples=150)
@given(texts.documents, parameters)
def test_any_text_and_parameters(documents, params):
    check(documents, params)


@pytest.mark.parametrize("shingle", ["char", "word"])
@pytest.mark.parametrize("ngram", [1, 2, 5, 24, 256])
def test_awkward_documents(shingle, ngram):
    check(texts.AWKWARD, MinHashParams(4, 3, shingle, ngram))


@pytest.mark.parametrize("shingle", ["char", "word"])
def test_a_megabyte(shingle):
    check([texts.long_document(), "short"], MinHashParams(2, 2, shingle, 5))


@pytest.mark.parametrize(("bands", "rows"), [(16, 8), (14, 8), (20, 13), (26, 11), (1, 1), (33, 1)])
def test_every_number_of_permutations(bands, rows):
    check(["some text that is long enough", "ab"], MinHashParams(bands, rows, "char", 5))


@pytest.mark.parametrize("shingle", ["char", "word"])
def test_slices_of_arrow_columns(shingle):
    check(texts.AWKWARD, MinHashParams(3, 2, shingle, 4), texts.as_slice(texts.AWKWARD))


@pytest.mark.parametrize("length", range(1018, 1034))
def test_words_and_characters_across_the_ends_of_pieces(length):
    documents = ["a" * length + tail for tail in ("", " b c", "é", "é b", "日本", " 日")]
    documents += ["ab " * (length // 3) + tail for tail in ("x", "é日")]
    check(documents, MinHashParams(2, 2, "word", 2))
    check(documents, MinHashParams(2, 2, "char", 3))


def test_a_shorter_document_is_one_shingle():
    keys, has_keys = band_keys(TextBuffers.from_strings(["abc", "abc", "abd"]), MinHashParams(ngram=24))
    assert has_keys.all()
    assert (keys[0] == keys[1]).all()
    assert (keys[0] != keys[2]).all()


def test_what_has_no_shingle_has_no_keys():
    _, has_keys = band_keys(
        TextBuffers.from_strings(["", None, "?! ...", "word"]), MinHashParams(shingle="word")
    )
    assert has_keys.tolist() == [False, False, False, True]


def test_moving_a_letter_between_words_changes_their_shingle():
    text = TextBuffers.from_strings(["ab cd", "ac bd", "a bcd", "abc d"])
    assert len(np.unique(signatures(text, MinHashParams(1, 1, "word", 2)))) == 4


def test_no_documents():
    keys, has_keys = band_keys(TextBuffers.from_strings([]), MinHashParams())
    assert keys.shape == (0, 16)
    assert has_keys.shape == (0,)


@pytest.mark.parametrize("rule", ["affine32", "fss", "nvtext32", "nvtext64"])
def test_keys_and_signatures_at_once_are_the_same(rule):
    text, params = texts.as_slice(texts.AWKWARD), MinHashParams(3, 2, rule=rule)
    keys, has_keys, values = keys_and_signatures(text, params)
    for found, expected in zip((keys, has_keys), band_keys(text, params), strict=True):
        assert np.array_equal(found, expected)
    assert np.array_equal(values, signatures(text, params))
    assert values.dtype == params.value_type
