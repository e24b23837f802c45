"""The CUDA lengths in code points equal the CPU's."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.char_length import cpu, cuda
from tests.emulator import texts
from tests.emulator.backend import text_on, to_host


def agree(device, text):
    found = to_host(cuda.char_length(text_on(device, text), device))
    assert found.dtype == np.int64
    assert np.array_equal(found, cpu.char_length(text))


@pytest.mark.parametrize("chunk_bytes", [2048, 13])
def test_awkward_documents(device, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    agree(device, texts.awkward())


@pytest.mark.parametrize("by", [1, 6])
def test_bytes_that_begin_anywhere_in_memory(device, by):
    agree(device, texts.shifted(texts.sliced(texts.awkward(), 2, 19), by))


def test_no_documents(device):
    agree(device, TextBuffers.from_strings([]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.documents)
def test_any_text(device, documents):
    device.chunk_bytes = 48
    agree(device, TextBuffers.from_strings(documents))
