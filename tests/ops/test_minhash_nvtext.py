"""The rules of nvtext give the values that cuDF documents, and NeMo Curator's permutations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import text_arrays
from gpucurate.ops.minhash import MinHashParams, band_keys, nvtext32, nvtext64, signatures
from gpucurate.ops.mixing import fmix32, fmix64
from tests.ops import documented, texts
from tests.ops.test_minhash import reference_keys

MODULES = {32: nvtext32, 64: nvtext64}
M32, M64, PRIME = 2**32, 2**64, 2**61 - 1


def rotate(x, by, bits):
    return (x << by | x >> (bits - by)) % 2**bits


def murmur3_x86_32(data, seed):
    """A. Appleby's MurmurHash3, 32 bits."""

    def mix(k):
        return rotate(k * 0xCC9E2D51 % M32, 15, 32) * 0x1B873593 % M32

    h, whole = seed, len(data) // 4 * 4
    for at in range(0, whole, 4):
        h = (rotate(h ^ mix(int.from_bytes(data[at : at + 4], "little")), 13, 32) * 5 + 0xE6546B64) % M32
    return fmix32(h ^ mix(int.from_bytes(data[whole:], "little")) ^ len(data))


def murmur3_x64_128(data, seed):
    """A. Appleby's MurmurHash3, first word of 128 bits."""
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F

    def mixes(block):
        k1, k2 = int.from_bytes(block[:8], "little"), int.from_bytes(block[8:], "little")
        return rotate(k1 * c1 % M64, 31, 64) * c2 % M64, rotate(k2 * c2 % M64, 33, 64) * c1 % M64

    h1 = h2 = seed
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        m1, m2 = mixes(data[at : at + 16])
        h1 = ((rotate(h1 ^ m1, 27, 64) + h2) * 5 + 0x52DCE729) % M64
        h2 = ((rotate(h2 ^ m2, 31, 64) + h1) * 5 + 0x38495AB5) % M64
    m1, m2 = mixes(data[whole:])
    h1, h2 = h1 ^ m1 ^ len(data), h2 ^ m2 ^ len(data)
    h1 = (h1 + h2) % M64
    return (fmix64(h1) + fmix64((h2 + h1) % M64)) % M64


def reference_signature(document, width, seed, a, b, bits):
    """As libcudf's minhash.cu computes it."""
    if not document:
        return [0] * len(a)
    windows = {document[i : i + width] for i in range(max(len(document) - width, 0) + 1)}
    if bits == 32:
        hashes = [max(murmur3_x86_32(w.encode(), seed), 1) for w in windows]
        return [min((x * h + y) % M32 for h in hashes) for x, y in zip(a, b, strict=True)]
    hashes = [max(murmur3_x64_128(w.encode(), seed), 1) for w in windows]
    return [min((x * h + y) % M64 % PRIME for h in hashes) for x, y in zip(a, b, strict=True)]


def permuted(module, documents, seed, a, b, width, text=None):
    """The values as of ``Series.str.minhash(seed, a, b, width)``."""
    dtype = np.uint32 if module is nvtext32 else np.uint64
    values = np.empty((len(documents), len(a)), dtype)
    data, offsets = text_arrays(text or TextBuffers.from_strings(documents))
    module.sketch_permuted(
        data,
        offsets,
        width,
        1,
        dtype(seed),
        np.array(a, dtype),
        np.array(b, dtype),
        np.empty((0, 0), np.uint64),
        values,
    )
    return values.tolist()


@pytest.mark.parametrize("seed", documented.MURMUR3)
def test_murmur3_as_cudf_documents_it(seed):
    rows = [number.to_bytes(8, "little") for number in documented.INTEGERS]
    assert [murmur3_x86_32(row, seed) for row in rows] == documented.MURMUR3[seed]


@pytest.mark.parametrize("oracle", documented.PERMUTED.values(), ids=documented.PERMUTED)
def test_the_values_that_cudf_documents_and_tests(oracle):
    documents = documented.DOCUMENTS[: len(oracle.values)]
    assert permuted(MODULES[oracle.bits], documents, 0, oracle.a, oracle.b, 5) == oracle.values


@settings(deadline=None, max_examples=60)
@given(texts.documents, st.sampled_from([32, 64]), st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_any_text_equals_the_recipe(documents, bits, width, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(low, 2**bits, 5, np.uint64).tolist() for low in (1, 0))
    expected = [reference_signature(d, width, seed, a, b, bits) for d in documents]
    assert permuted(MODULES[bits], documents, seed, a, b, width) == expected


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("width", [2, 3, 4, 5, 16, 24, 255, 256])
def test_awkward_documents_as_slices(bits, width):
    a, b = [7, 2**bits - 1], [0, 2**bits - 5]
    expected = [reference_signature(d, width, 42, a, b, bits) for d in texts.AWKWARD]
    assert permuted(MODULES[bits], texts.AWKWARD, 42, a, b, width, texts.as_slice(texts.AWKWARD)) == expected


@pytest.mark.parametrize("length", range(1018, 1034))
def test_windows_across_the_ends_of_blocks(length):
    documents = ["ab" * (length // 2) + tail for tail in ("", "c", "é", "日本", "日本語の" * 9, "x" * 40)]
    documents += ["é" * (length // 2) + "日x", "日" * (length // 3) + "é" * 30]
    for bits, module in MODULES.items():
        expected = [reference_signature(d, 24, 1, [3], [4], bits) for d in documents]
        assert permuted(module, documents, 1, [3], [4], 24) == expected


@pytest.mark.parametrize(("rule", "bits"), [("nvtext32", 32), ("nvtext64", 64)])
def test_the_sketch_takes_nemos_permutations_and_a_0_for_the_seed_of_the_hash(rule, bits):
    params = MinHashParams(20, 13, ngram=24, seed=42, rule=rule)
    generator = np.random.RandomState(42)  # GPUMinHash.generate_seeds of NeMo Curator 1.x
    prime, dtype = (2**31 - 1, np.uint32) if bits == 32 else (2**61 - 1, np.uint64)
    seeds = [
        (int(generator.randint(1, prime, dtype=dtype)), int(generator.randint(0, prime, dtype=dtype)))
        for _ in range(260)
    ]
    a, b = zip(*seeds, strict=True)
    documents = ["A text that is longer than twenty-four characters.", "short", None, "", "日本語" * 20]
    expected = [reference_signature(d, 24, a[0], a, b, bits) for d in documents]
    text = TextBuffers.from_strings(documents)
    found = signatures(text, params)
    assert found.dtype == dtype
    assert found.tolist() == expected
    keys, has_keys = band_keys(text, params)
    assert has_keys.tolist() == [True, True, False, False, True]
    assert keys[has_keys].tolist() == [reference_keys(expected[i], params) for i in (0, 1, 4)]
    assert not keys[~has_keys].any()


def test_the_first_permutations_of_seed_42():
    a, b = MinHashParams(1, 2, seed=42, rule="nvtext32").permutations()
    assert (a.tolist(), b.tolist()) == ([1608637543, 1935803229], [1273642419, 787846414])


def test_a_megabyte():
    document = texts.long_document(200_000)
    for bits, module in MODULES.items():
        expected = [reference_signature(document, 24, 5, [9], [1], bits)]
        assert permuted(module, [document], 5, [9], [1], 24) == expected
