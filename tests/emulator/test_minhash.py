"""The CUDA band keys and signatures equal the CPU's, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import PRESETS, MinHashParams, cpu, cuda
from tests.emulator import texts
from tests.emulator.backend import text_on, to_host

PARAMS = {
    "default": MinHashParams(),
    "nemo's shape": MinHashParams(bands=20, rows=13, ngram=24),
    "an odd number of values": MinHashParams(bands=3, rows=3, ngram=3),
    "single characters": MinHashParams(bands=5, rows=2, ngram=1, seed=9),
    "more values than registers": MinHashParams(bands=40, rows=13, ngram=2),
    "fineweb's shape": MinHashParams(bands=14, rows=8, shingle="word", ngram=5),
    "single words": MinHashParams(bands=5, rows=2, shingle="word", ngram=1),
    "as many words as there may be": MinHashParams(bands=5, rows=2, shingle="word", ngram=256),
    "words, more values than registers": MinHashParams(bands=40, rows=13, shingle="word", ngram=2),
    "nemo": PRESETS["nemo"].params,
    "nemo of 64 bits": MinHashParams(20, 13, ngram=24, seed=42, rule="nvtext64"),
    "nvtext, two characters": MinHashParams(2, 2, ngram=2, seed=7, rule="nvtext32"),
    "sketch of few slots": MinHashParams(3, 3, ngram=3, rule="fss"),
}
RULES = {
    "characters": MinHashParams(4, 2),
    "words": MinHashParams(4, 2, "word", 3),
    "nvtext32": MinHashParams(4, 2, ngram=9, rule="nvtext32"),
    "nvtext64": MinHashParams(4, 2, ngram=17, rule="nvtext64"),
    "slots": MinHashParams(4, 2, ngram=4, rule="fss"),
    "slots of words": MinHashParams(4, 2, "word", 2, rule="fss"),
}
SHORT = 20  # documents; the last ones are long


def agree(device, text, params):
    given_text = text_on(device, text)
    found = cuda.keys_and_signatures(given_text, params, device)
    expected = cpu.keys_and_signatures(text, params)
    for name, array, wanted in zip(("keys", "has_keys", "signatures"), found, expected, strict=True):
        assert array.dtype == wanted.dtype
        assert np.array_equal(to_host(array), wanted), name


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_awkward_documents(device, params):
    agree(device, texts.sliced(texts.awkward(), 0, SHORT), params)


@pytest.mark.parametrize("params", RULES.values(), ids=RULES)
def test_long_documents(device, params):
    text = texts.awkward()
    agree(device, texts.sliced(text, len(text) - 3 if params.rule == "fss" else 0, len(text)), params)


@pytest.mark.parametrize("permutations", [512, 513])
def test_as_many_slots_as_shared_memory_holds_and_more(device, permutations):
    text = texts.sliced(texts.awkward(), 1, 10)
    agree(device, text, MinHashParams(permutations, 1, ngram=2, rule="fss"))


@pytest.mark.parametrize("chunk_bytes", [7, 32, 61])
@pytest.mark.parametrize("params", RULES.values(), ids=RULES)
def test_characters_words_and_shingles_across_the_ends_of_chunks(device, params, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    agree(device, texts.sliced(texts.awkward(), 0, 18), params)


def test_words_that_are_far_apart(device):
    device.chunk_bytes = 64
    gaps = [
        " " * 500 + "one" + " " * 300 + "two",
        "one" + " " * 1000 + "two three",
        "-" * 700 + "w" * 700 + "-" * 90,
    ]
    gaps += ["a \u4e2d" + " " * 200 + "\u6587 b" + "\u00e9" * 100, "a" * 40 + "\u4e2d" * 40 + "a" * 40]
    for ngram in (1, 2, 3, 4, 90):
        agree(device, TextBuffers.from_strings(gaps), MinHashParams(4, 2, "word", ngram))


@pytest.mark.parametrize("params", RULES.values(), ids=RULES)
def test_bytes_that_begin_anywhere_in_memory(device, params):
    agree(device, texts.shifted(texts.sliced(texts.awkward(), 0, SHORT), 3), params)


@pytest.mark.parametrize("params", RULES.values(), ids=RULES)
def test_a_small_grid_walks_the_whole_list(device, params):
    device.multiprocessors, device.chunk_bytes = 1, 128
    agree(device, texts.sliced(texts.awkward(), 2, SHORT), params)


def test_no_documents(device):
    for params in RULES.values():
        agree(device, TextBuffers.from_strings([]), params)


def test_parts_of_the_result(device):
    text, params = texts.sliced(texts.awkward(), 0, SHORT), MinHashParams(3, 2, "word", 1)
    given_text = text_on(device, text)
    assert np.array_equal(to_host(cuda.signatures(given_text, params, device)), cpu.signatures(text, params))
    for found, expected in zip(
        cuda.band_keys(given_text, params, device), cpu.band_keys(text, params), strict=True
    ):
        assert np.array_equal(to_host(found), expected)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.documents, st.integers(2, 30), st.sampled_from([16, 48]), st.sampled_from(list(RULES.values())))
def test_any_text(device, documents, ngram, chunk_bytes, params):
    device.chunk_bytes = chunk_bytes
    agree(device, TextBuffers.from_strings(documents), replace(params, ngram=ngram))


def equal_values_agree(device, values, pairs):
    left, right = np.random.default_rng(5).integers(0, len(values), (2, pairs)).astype(np.uint32)
    found = cuda.equal_values(*map(device.xp.asarray, (values, left, right)), device)
    assert np.array_equal(to_host(found), cpu.equal_values(values, left, right))


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
@pytest.mark.parametrize("permutations", [1, 32, 130])
def test_equal_values(device, dtype, permutations):
    values = np.random.default_rng(6).integers(0, 3, (9, permutations)).astype(dtype) << dtype(31)
    equal_values_agree(device, values, 50)
    equal_values_agree(device, values, 0)
