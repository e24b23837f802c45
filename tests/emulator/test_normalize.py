"""The CUDA normalisation equals the CPU's, byte for byte."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.normalize import cpu, cuda
from tests.emulator import texts
from tests.emulator.backend import text_on, to_host

SPACES = " \t\n\u00a0\u1680\u2003\u3000"
GAPS = [
    "",
    " ",
    SPACES,
    SPACES * 40,
    " x ",
    "x" + SPACES * 40 + "Y" + SPACES * 20,
    "\u3000x",
    "\u023a\u0130\u023e" * 90,
]


def agree(device, text):
    found, expected = cuda.normalize(text_on(device, text), device), cpu.normalize(text)
    assert np.array_equal(to_host(found.offsets), expected.offsets)
    assert np.array_equal(to_host(found.data), expected.data)
    assert (found.valid is None) == (expected.valid is None)
    assert found.valid is None or np.array_equal(to_host(found.valid), expected.valid)


@pytest.mark.parametrize("chunk_bytes", [2048, 33, 5])
def test_awkward_documents(device, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    agree(device, texts.sliced(texts.awkward(), 0, 20))


@pytest.mark.parametrize("chunk_bytes", [2048, 32, 3])
def test_white_space_at_the_ends_of_documents_and_chunks(device, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    agree(device, TextBuffers.from_strings(GAPS))


def test_a_long_document_on_a_small_grid(device):
    device.multiprocessors = 1
    agree(device, texts.sliced(texts.awkward(), 19, len(texts.awkward())))


def test_no_documents(device):
    agree(device, TextBuffers.from_strings([]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.documents, st.sampled_from([3, 32, 50]))
def test_any_text(device, documents, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    agree(device, TextBuffers.from_strings(documents))
