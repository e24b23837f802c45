"""The CUDA band keys and signatures equal the CPU's, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams, band_keys, signatures
from tests.emulator import launch, texts

PARAMS = {
    "default": MinHashParams(),
    "nemo's shape": MinHashParams(bands=20, rows=13, ngram=24),
    "an odd number of values": MinHashParams(bands=3, rows=3, ngram=3),
    "single characters": MinHashParams(bands=5, rows=2, ngram=1, seed=9),
    "more values than registers": MinHashParams(bands=40, rows=13, ngram=2),
}
SHORT = 20  # documents; the last ones are long


def agree(backend, text, params, **how):
    keys, values = launch.band_keys(backend, text, params, **how)
    expected, has_keys = band_keys(text, params)
    assert np.array_equal(values, signatures(text, params))
    assert np.array_equal(keys, expected)
    assert np.array_equal(has_keys, np.diff(text.offsets) > 0)


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_awkward_documents(backend, params):
    agree(backend, texts.sliced(texts.awkward(), 0, SHORT), params)


def test_long_documents(backend):
    agree(backend, texts.awkward(), MinHashParams())


@pytest.mark.parametrize("chunk_bytes", [32, 61])
def test_characters_and_shingles_across_the_ends_of_chunks(backend, chunk_bytes):
    agree(backend, texts.sliced(texts.awkward(), 0, 18), MinHashParams(), chunk_bytes=chunk_bytes)


def test_bytes_that_begin_anywhere_in_memory(backend):
    agree(backend, texts.shifted(texts.sliced(texts.awkward(), 0, SHORT), 3), MinHashParams())


def test_one_block_walks_the_whole_list(backend):
    agree(backend, texts.sliced(texts.awkward(), 2, SHORT), MinHashParams(), blocks=1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.none() | st.text(max_size=80), min_size=1, max_size=5),
    st.integers(1, 30),
    st.sampled_from([16, 48]),
)
def test_any_text(backend, documents, ngram, chunk_bytes):
    params = MinHashParams(bands=4, rows=2, ngram=ngram)
    agree(backend, TextBuffers.from_strings(documents), params, chunk_bytes=chunk_bytes)
