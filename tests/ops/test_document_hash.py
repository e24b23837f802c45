"""The 128-bit hash of documents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.document_hash import DocumentHasher, document_hash
from gpucurate.ops.mixing import fmix64, splitmix64_finaliser
from tests.ops import texts

CHUNK = 65536
SALT_A, SALT_B = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
M = 2**64


def reference(document):
    def sums(words):
        pairs = [
            (fmix64((a + j * SALT_A) % M), splitmix64_finaliser(b ^ j * SALT_B % M))
            for j, (a, b) in enumerate(words, 1)
        ]
        return sum(a for a, _ in pairs) % M, sum(b for _, b in pairs) % M

    def chunk(data):
        data += bytes(-len(data) % 8)
        words = np.frombuffer(data, "<u8").tolist()
        return sums(zip(words, words, strict=True))

    x, y = sums(chunk(document[i : i + CHUNK]) for i in range(0, len(document), CHUNK))
    salt = len(document) + 1
    return fmix64((x + salt * SALT_A) % M), splitmix64_finaliser((y + salt * SALT_B) % M)


def hashes(documents):
    return [tuple(row) for row in document_hash(TextBuffers.from_strings(documents)).tolist()]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=100), max_size=8))
def test_any_bytes(documents):
    assert hashes(documents) == [reference(d) for d in documents]


@pytest.mark.parametrize(
    "length", [0, 1, 7, 8, 9, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5]
)
def test_every_kind_of_end(length):
    document = np.random.default_rng(length).bytes(length)
    assert hashes([b"x", document]) == [reference(b"x"), reference(document)]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 200_000), st.lists(st.integers(0, 200_000), max_size=6))
def test_a_stream_hashes_as_the_whole_however_it_is_cut(length, cuts):
    document = np.random.default_rng(0).bytes(length)
    hasher, ends = DocumentHasher(), sorted({min(c, length) for c in cuts} | {length})
    for start, end in zip([0, *ends], ends, strict=False):
        hasher.update(memoryview(document)[start:end])
    assert [hasher.digest()] == hashes([document])
    assert hasher.hexdigest() == "{:016x}{:016x}".format(*hasher.digest())


def test_a_digest_may_be_taken_on_the_way():
    hasher = DocumentHasher()
    hasher.update(b"one ")
    assert [hasher.digest()] == hashes([b"one "])
    hasher.update(b"two")
    assert [hasher.digest()] == hashes([b"one two"])


def test_null_is_zero_and_empty_is_not():
    null, empty = hashes([None, ""])
    assert null == (0, 0)
    assert 0 not in empty


def test_a_slice_hashes_as_the_documents_themselves():
    assert document_hash(texts.as_slice(texts.AWKWARD)).tolist() == [list(h) for h in hashes(texts.AWKWARD)]


def test_trailing_zeros_order_and_place_of_words_matter():
    words = [b"12345678", b"abcdefgh", bytes(8)]
    variants = [words[0] + words[1], words[1] + words[0], words[0] + words[2], words[2] + words[0], words[0]]
    variants += [v + b"\0" for v in variants]
    assert len(set(hashes(variants))) == len(variants)


def test_each_half_separates_a_million_similar_documents():
    count = 1_000_000
    data = np.arange(count, dtype=np.uint64).view(np.uint8)
    found = document_hash(TextBuffers(data, np.arange(count + 1) * 8))
    assert all(len(np.unique(found[:, half])) == count for half in (0, 1))
    assert all(abs(np.bitwise_count(found[:, half]).mean() - 32) < 0.02 for half in (0, 1))
