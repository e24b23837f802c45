"""The CUDA check of UTF-8 equals the CPU's, which equals Python's."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.utf8 import cpu, cuda
from tests.emulator import texts
from tests.emulator.backend import text_on, to_host

LEADS = (0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF)
SECONDS = (0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xF0)
OTHERS = (0x41, 0x80, 0xBF, 0xC3)
SEQUENCES = [bytes(s) for s in itertools.product(LEADS, SECONDS, OTHERS, OTHERS)]
SEQUENCES += [s[:length] for s in SEQUENCES[:: len(OTHERS)] for length in (1, 2, 3)]
"""Every kind of sequence, well-formed or not, and cut at the end of the document."""


def agree(device, text):
    found = to_host(cuda.invalid_utf8(text_on(device, text), device))
    assert found.dtype == np.bool_
    assert np.array_equal(found, cpu.invalid_utf8(text))
    return found.tolist()


def is_invalid(document):
    try:
        document.decode()
    except UnicodeDecodeError:
        return True
    return False


def check(device, documents):
    found = agree(device, TextBuffers.from_strings(documents))
    assert found == [is_invalid(document) for document in documents]


def test_sequences_of_any_kind(device):
    check(device, SEQUENCES)


@pytest.mark.parametrize("ahead", [*range(26, 34), 508, 511])
def test_sequences_across_windows_and_the_ends_of_chunks(device, ahead):
    device.chunk_bytes = 513
    check(device, [b"a" * ahead + sequence + b"b" * 7 for sequence in SEQUENCES[::37]])


def test_a_character_cut_at_the_end_is_not_completed_by_the_next_document(device):
    check(device, [b"a\xc3", b"\xa9b", b"\xe4\xb8", b"\xad", b"\xf0\x9f\x98", b"\x80", b"", b"fine"])


@pytest.mark.parametrize("chunk_bytes", [2048, 13])
def test_awkward_documents_are_fine(device, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    assert not any(agree(device, texts.awkward()))


@pytest.mark.parametrize("by", [1, 6])
def test_bytes_that_begin_anywhere_in_memory(device, by):
    text = TextBuffers.from_strings([b"\xff", *SEQUENCES[::53], "é" * 700, b"\x80"])
    agree(device, texts.shifted(texts.sliced(text, 1, len(text) - 1), by))


def test_one_bad_byte_in_a_megabyte_is_found(device):
    if getattr(device, "order", 1) != 1:
        pytest.skip("one order is enough for what takes a second")
    good = texts.megabyte().document(1)
    bad = [good[:at] + b"\xff" + good[at + 1 :] for at in (0, 2047, 2048, 500_000, len(good) - 1)]
    assert agree(device, TextBuffers.from_strings([good, *bad])) == [False, *[True] * len(bad)]


def test_no_documents(device):
    agree(device, TextBuffers.from_strings([]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.binary(max_size=70) | st.text(max_size=60), max_size=6))
def test_any_text_or_bytes(device, documents):
    device.chunk_bytes = 48
    agree(device, TextBuffers.from_strings(documents))
