"""Offsets beyond 2^31 and a document of a megabyte: every kernel over text."""

from importlib import import_module

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams
from tests.emulator import texts
from tests.emulator.backend import Emulated, text_on, to_host

BORDER = 2**31
ROWS = [
    "One  word",
    "\u4e2d\u6587 across \u00c9t\u00e9 the BORDER \U0001f600 of two to the 31",
    "",
    "and   behind it \u023a.",
]
CHARACTERS, WORDS = MinHashParams(4, 2), MinHashParams(4, 2, "word", 2)
NVTEXT, SLOTS = MinHashParams(4, 2, ngram=9, rule="nvtext32"), MinHashParams(4, 2, rule="fss")


def buffer_on(device, folder, nbytes):
    """Zeros of the device; on the emulator a sparse file, of which hardly anything is on disk."""
    if isinstance(device, Emulated):
        return np.memmap(folder / "sparse", np.uint8, "w+", shape=(nbytes,))
    return device.xp.zeros(nbytes, np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sparse")


@pytest.fixture
def across(device, folder):
    """The rows as text on the device, 20 bytes of them before byte 2^31, and on the host from byte 0."""
    rows = TextBuffers.from_strings(ROWS)
    start = BORDER - 20
    data = buffer_on(device, folder, BORDER + 1000)
    data[start : start + len(rows.data)] = device.xp.asarray(rows.data)
    return TextBuffers(data, device.xp.asarray(rows.offsets + start)), rows


def normal(text):
    return to_host(text.data), to_host(text.offsets)


OPERATIONS = {
    "document_hash": lambda module, text, *device: [module.document_hash(text, *device)],
    "char_length": lambda module, text, *device: [module.char_length(text, *device)],
    "utf8": lambda module, text, *device: [module.invalid_utf8(text, *device)],
    "normalize": lambda module, text, *device: normal(module.normalize(text, *device)),
    "minhash of characters": lambda module, text, *device: module.band_keys(text, CHARACTERS, *device),
    "minhash of words": lambda module, text, *device: module.band_keys(text, WORDS, *device),
    "minhash by nvtext": lambda module, text, *device: module.band_keys(text, NVTEXT, *device),
    "minhash by slots": lambda module, text, *device: module.band_keys(text, SLOTS, *device),
    "jaccard": lambda module, text, *device: module.shared_shingles(
        text, np.array([1, 0], np.uint32), np.array([0, 2], np.uint32), CHARACTERS, *device
    ),
}


def agree(name, device, on_device, on_host):
    package = f"gpucurate.ops.{name.split()[0]}"
    found = OPERATIONS[name](import_module(f"{package}.cuda"), on_device, device)
    expected = OPERATIONS[name](import_module(f"{package}.cpu"), on_host)
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(to_host(a), b)


@pytest.mark.parametrize("name", OPERATIONS)
def test_rows_across_the_border_of_32_bits(device, across, name):
    agree(name, device, *across)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_document_of_a_megabyte(device, name):
    if getattr(device, "order", 1) != 1:
        pytest.skip("one order is enough for what takes a second")
    text = texts.megabyte()
    agree(name, device, text_on(device, text), text)
