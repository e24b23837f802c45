"""The CUDA band keys and signatures equal the CPU's, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams, cpu, cuda
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
}
CHARACTERS, WORDS = MinHashParams(bands=4, rows=2), MinHashParams(bands=4, rows=2, shingle="word", ngram=3)
SHORT = 20  # documents; the last ones are long


def agree(device, text, params):
    given_text = text_on(device, text)
    keys, has_keys = map(to_host, cuda.band_keys(given_text, params, device))
    expected_keys, expected_has_keys = cpu.band_keys(text, params)
    assert np.array_equal(has_keys, expected_has_keys)
    assert np.array_equal(to_host(cuda.signatures(given_text, params, device)), cpu.signatures(text, params))
    assert np.array_equal(keys, expected_keys)


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_awkward_documents(device, params):
    agree(device, texts.sliced(texts.awkward(), 0, SHORT), params)


@pytest.mark.parametrize("params", [CHARACTERS, WORDS], ids=["characters", "words"])
def test_long_documents(device, params):
    agree(device, texts.awkward(), params)


@pytest.mark.parametrize("chunk_bytes", [7, 32, 61])
@pytest.mark.parametrize("params", [CHARACTERS, WORDS], ids=["characters", "words"])
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


@pytest.mark.parametrize("params", [CHARACTERS, WORDS], ids=["characters", "words"])
def test_bytes_that_begin_anywhere_in_memory(device, params):
    agree(device, texts.shifted(texts.sliced(texts.awkward(), 0, SHORT), 3), params)


@pytest.mark.parametrize("params", [CHARACTERS, WORDS], ids=["characters", "words"])
def test_a_small_grid_walks_the_whole_list(device, params):
    device.multiprocessors, device.chunk_bytes = 1, 128
    agree(device, texts.sliced(texts.awkward(), 2, SHORT), params)


def test_no_documents(device):
    agree(device, TextBuffers.from_strings([]), CHARACTERS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.documents, st.integers(1, 30), st.sampled_from([16, 48]), st.sampled_from(["char", "word"]))
def test_any_text(device, documents, ngram, chunk_bytes, shingle):
    device.chunk_bytes = chunk_bytes
    agree(device, TextBuffers.from_strings(documents), MinHashParams(4, 2, shingle, ngram))
