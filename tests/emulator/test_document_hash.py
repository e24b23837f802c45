"""The CUDA document hash equals the CPU's, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.document_hash import cpu, cuda
from tests.emulator import texts
from tests.emulator.backend import text_on, to_host


def agree(device, text):
    found = to_host(cuda.document_hash(text_on(device, text), device))
    assert np.array_equal(found, cpu.document_hash(text))


@pytest.mark.parametrize("chunk_bytes", [2048, 512])
def test_awkward_documents(device, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    agree(device, texts.awkward())


@pytest.mark.parametrize("by", [1, 4, 7])
def test_bytes_that_begin_anywhere_in_memory(device, by):
    agree(device, texts.shifted(texts.awkward(), by))


def test_a_slice(device):
    agree(device, texts.sliced(texts.awkward(), 3, 20))


def test_a_small_grid_walks_the_whole_list(device):
    device.multiprocessors = 1
    agree(device, texts.awkward())


def test_no_documents(device):
    agree(device, TextBuffers.from_strings([]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.binary(max_size=200), max_size=6))
def test_any_bytes(device, documents):
    device.chunk_bytes = 64
    agree(device, TextBuffers.from_strings(documents))
