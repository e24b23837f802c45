"""The CUDA sizes of intersections and unions equal the CPU's."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.jaccard import cpu, cuda
from gpucurate.ops.minhash import MinHashParams
from tests.emulator import texts
from tests.emulator.backend import text_on, to_host

CHARACTERS, WORDS = MinHashParams(ngram=3), MinHashParams(shingle="word", ngram=2)
both = pytest.mark.parametrize("params", [CHARACTERS, WORDS], ids=["characters", "words"])


def agree(device, text, params, pairs=30):
    left, right = np.random.default_rng(8).integers(0, max(len(text), 1), (2, pairs)).astype(np.uint32)
    rows = map(device.xp.asarray, (left, right))
    found = cuda.shared_shingles(text_on(device, text), *rows, params, device)
    for array, expected in zip(found, cpu.shared_shingles(text, left, right, params), strict=True):
        assert array.dtype == expected.dtype
        assert np.array_equal(to_host(array), expected)


@both
def test_awkward_documents(device, params):
    agree(device, texts.sliced(texts.awkward(), 0, 20), params)


@both
@pytest.mark.parametrize("batch", [1, 600])
def test_pairs_in_batches(device, params, batch, monkeypatch):
    monkeypatch.setattr(cuda, "BATCH_BYTES", batch)
    agree(device, texts.sliced(texts.awkward(), 2, 17), params)


@both
def test_shingles_across_the_ends_of_chunks_on_a_small_grid(device, params):
    device.chunk_bytes, device.multiprocessors = 13, 1
    agree(device, texts.sliced(texts.awkward(), 3, 17), params)


@both
def test_no_pairs_and_no_documents(device, params):
    agree(device, texts.sliced(texts.awkward(), 0, 5), params, pairs=0)
    agree(device, TextBuffers.from_strings([]), params, pairs=0)
    agree(device, TextBuffers.from_strings([""]), params)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.documents, st.integers(1, 9), st.sampled_from([16, 48]), st.sampled_from(["char", "word"]))
def test_any_text(device, documents, ngram, chunk_bytes, shingle):
    device.chunk_bytes = chunk_bytes
    text = TextBuffers.from_strings([*documents, "one more"])
    agree(device, text, MinHashParams(shingle=shingle, ngram=ngram), pairs=8)
