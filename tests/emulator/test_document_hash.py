"""The CUDA document hash equals the CPU's, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.document_hash import document_hash
from tests.emulator import launch, texts


@pytest.mark.parametrize("piece_bytes", [2048, 512])
def test_awkward_documents(backend, piece_bytes):
    text = texts.awkward()
    assert np.array_equal(launch.document_hash(backend, text, piece_bytes), document_hash(text))


@pytest.mark.parametrize("by", [1, 4, 7])
def test_bytes_that_begin_anywhere_in_memory(backend, by):
    text = texts.awkward()
    assert np.array_equal(launch.document_hash(backend, texts.shifted(text, by)), document_hash(text))


def test_a_slice(backend):
    text = texts.awkward()
    part = texts.sliced(text, 3, 20)
    assert np.array_equal(launch.document_hash(backend, part), document_hash(text)[3:20])


def test_one_block_walks_the_whole_list(backend):
    text = texts.awkward()
    assert np.array_equal(launch.document_hash(backend, text, blocks=1), document_hash(text))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.binary(max_size=200), min_size=1, max_size=6))
def test_any_bytes(backend, documents):
    text = TextBuffers.from_strings(documents)
    assert np.array_equal(launch.document_hash(backend, text, 64), document_hash(text))
