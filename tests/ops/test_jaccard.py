"""Sizes of intersections and unions equal those of Python's sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.jaccard import cpu, jaccard, shared_shingles
from gpucurate.ops.jaccard.table import LEAST_ROOM
from gpucurate.ops.minhash import MinHashParams
from gpucurate.ops.mixing import fmix64
from tests.ops import texts


def rows(values):
    return np.array(values, np.uint32)


def check(documents, pairs, params, text=None):
    sets = [texts.shingles(d, params.shingle, params.ngram) for d in documents]
    left, right = rows([a for a, _ in pairs]), rows([b for _, b in pairs])
    common, total = shared_shingles(text or TextBuffers.from_strings(documents), left, right, params)
    assert common.tolist() == [len(sets[a] & sets[b]) for a, b in pairs]
    assert total.tolist() == [len(sets[a] | sets[b]) for a, b in pairs]
    assert common.dtype == total.dtype == np.uint32


def all_pairs(documents):
    return [(a, b) for a in range(len(documents)) for b in range(len(documents))]


kinds = st.sampled_from(["char", "word"])


@settings(deadline=None, max_examples=120)
@given(texts.documents, kinds, st.integers(1, 30), st.randoms(use_true_random=False))
def test_any_text(documents, shingle, ngram, random):
    pairs = all_pairs(documents)
    random.shuffle(pairs)
    check(documents, pairs, MinHashParams(shingle=shingle, ngram=ngram))


@pytest.mark.parametrize("shingle", ["char", "word"])
@pytest.mark.parametrize("ngram", [1, 5, 24, 256])
def test_awkward_documents_as_slices(shingle, ngram):
    params = MinHashParams(shingle=shingle, ngram=ngram)
    check(texts.AWKWARD, all_pairs(texts.AWKWARD), params, texts.as_slice(texts.AWKWARD))


@pytest.mark.parametrize("length", range(1018, 1034))
def test_words_and_characters_across_the_ends_of_pieces(length):
    documents = ["a" * length + tail for tail in ("", " b c", "é", "é b", "日本", " 日")]
    documents += ["ab " * (length // 3) + tail for tail in ("x", "é日")]
    check(documents, all_pairs(documents), MinHashParams(shingle="word", ngram=2))
    check(documents, all_pairs(documents), MinHashParams(ngram=3))


@pytest.fixture
def small_tables(monkeypatch):
    """Room for parts of 2048 characters."""
    monkeypatch.setattr(cpu, "MAX_SLOTS", LEAST_ROOM)


@pytest.mark.usefixtures("small_tables")
@pytest.mark.parametrize("shingle", ["char", "word"])
def test_long_documents_are_compared_in_parts(shingle):
    long = texts.long_document(60_000)
    documents = [long, long[3000:] + "zz top", "short", "", "x" * 30_000, "ab cd " * 500, None]
    check(documents, all_pairs(documents), MinHashParams(shingle=shingle, ngram=2))


@pytest.mark.usefixtures("small_tables")
def test_parts_that_turn_out_too_large_are_made_smaller():
    """Sixteen parts are asked for by the length, and all shingles fall into one of them."""
    points = [*range(0x4E00, 0xD800), *range(0xE000, 0x2A000)]
    crowded = [chr(c) for c in points if fmix64(c) >> 59 == 0]
    assert LEAST_ROOM < len(crowded) < 16 * LEAST_ROOM // 4
    documents = ["".join(crowded * 6), "".join(crowded[30:] * 2), "x" * 30_000, "".join(crowded[:9])]
    check(documents, all_pairs(documents), MinHashParams(ngram=1))


def test_the_hash_tells_a_million_shingles_apart():
    text = TextBuffers.from_strings([texts.long_document(2_000_000)])
    common, total = shared_shingles(text, rows([0]), rows([0]), MinHashParams(ngram=24))
    assert common == total == 1_000_000 - 23


def test_no_pairs_and_no_documents():
    common, total = shared_shingles(TextBuffers.from_strings([]), rows([]), rows([]), MinHashParams())
    assert len(common) == len(total) == 0


def test_the_rule_of_the_sketch_does_not_matter():
    text = TextBuffers.from_strings(["some text", "some test"])
    found = [
        shared_shingles(text, rows([0]), rows([1]), MinHashParams(ngram=3, rule=rule))
        for rule in ("affine32", "nvtext32", "nvtext64", "fss")
    ]
    assert all(np.array_equal(found[0], other) for other in found)


def test_similarity_of_nothing_is_zero():
    assert jaccard(rows([1, 0, 3]), rows([2, 0, 3])).tolist() == [0.5, 0, 1]


def test_rows_that_are_not_there_are_refused():
    text = TextBuffers.from_strings(["a"])
    with pytest.raises(ValueError, match="row 3 of 1 documents"):
        shared_shingles(text, rows([0]), rows([3]), MinHashParams())
    with pytest.raises(ValueError, match="1 left rows and 2 right rows"):
        shared_shingles(text, rows([0]), rows([0, 0]), MinHashParams())
