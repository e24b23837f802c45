"""Similarities of documents on disk are those of their sets of shingles, or of their signatures."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from gpucurate.dedup.comparer import ShingleComparer, SignatureComparer, shingle_similarity
from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout
from gpucurate.dedup.text_store import TextFileWriter, TextSet
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams, signatures
from gpucurate.spec.errors import StorageError

PER_UNIT = 9


def documents(count: int) -> list[str]:
    rng = random.Random(4)
    base = [rng.choice("abcdefg ü中") for _ in range(120)]
    texts = []
    for _ in range(count):
        edited = list(base)
        for _ in range(rng.randrange(12)):
            edited[rng.randrange(len(edited))] = rng.choice("xyz")
        texts.append("".join(edited))
    return [*texts[:-2], texts[0], "ab"]


def exact(one: str, other: str, n: int) -> float:
    sets = [{text[i : i + n] for i in range(max(1, len(text) - n + 1))} for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    left, right = np.triu_indices(count, 1)
    return left.astype(np.uint32), right.astype(np.uint32)


@pytest.mark.parametrize("ngram", [1, 5, 24])
def test_shingles_are_compared_exactly(ngram: int, tmp_path: Path) -> None:
    texts, paths = documents(2 * PER_UNIT), []
    for unit in range(2):
        paths.append(tmp_path / f"{unit}.texts")
        writer = TextFileWriter(paths[-1])
        records = np.arange(PER_UNIT)
        writer.append(records, TextBuffers.from_strings(texts[unit * PER_UNIT :][:PER_UNIT]))
        writer.close()
    comparer = ShingleComparer(
        TextSet(paths, np.array([0, PER_UNIT, 2 * PER_UNIT])), MinHashParams(ngram=ngram)
    )
    left, right = pairs(2 * PER_UNIT)
    expected = [exact(texts[a], texts[b], ngram) for a, b in zip(left, right, strict=True)]
    assert comparer.compare(left, right).tolist() == expected
    ids = np.array([0, 17], np.uint32)
    assert comparer.sizes(ids).tolist() == [len(texts[i].encode()) for i in ids]


def test_equal_texts_and_equal_sets_are_entirely_similar() -> None:
    text = TextBuffers.from_strings(["ababab", "ababab", "abababab", "b"])
    left, right = np.array([0, 0, 0], np.uint32), np.array([1, 2, 3], np.uint32)
    assert shingle_similarity(text, left, right, MinHashParams(ngram=2)).tolist() == [1.0, 1.0, 0.0]


def key_set(folder: Path, values: np.ndarray, layout: Layout) -> KeySet:
    """Two units of several blocks; every third record has no keys."""
    paths = []
    for unit in range(2):
        writer = KeyFileWriter(folder / f"{unit}.keys", layout)
        for at in range(0, PER_UNIT, 4):
            rows = np.arange(at, min(at + 4, PER_UNIT))
            ids = np.flatnonzero(rows % 3 != 2).astype(np.uint32)
            own = values[unit * PER_UNIT + rows[ids]]
            keys = np.zeros((len(ids), layout.bands), np.uint64)
            writer.append(len(rows), ids, keys, np.ones(len(rows), np.uint32), signatures=own)
        writer.close()
        paths.append(folder / f"{unit}.keys")
    return KeySet(paths, np.array([0, PER_UNIT, 2 * PER_UNIT]))


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_signatures_are_compared_value_by_value(dtype: type, tmp_path: Path) -> None:
    params = MinHashParams(bands=4, rows=16)
    texts = documents(2 * PER_UNIT)
    values = signatures(TextBuffers.from_strings(texts), params).astype(dtype)
    layout = Layout(4, signature_values=64, signature_bytes=np.dtype(dtype).itemsize)
    keys = key_set(tmp_path, values, layout)
    comparer = SignatureComparer(keys, layout)
    left, right = pairs(2 * PER_UNIT)
    has_keys = (left % PER_UNIT % 3 != 2) & (right % PER_UNIT % 3 != 2)
    left, right = left[has_keys], right[has_keys]
    found = comparer.compare(left, right)
    assert found.tolist() == (values[left] == values[right]).mean(axis=1).tolist()
    similar = np.array([exact(texts[a], texts[b], 5) for a, b in zip(left, right, strict=True)])
    assert np.abs(found - similar).mean() < 2 * np.sqrt(0.25 / 64)
    assert comparer.sizes(left[:1]).tolist() == [64 * np.dtype(dtype).itemsize]
    gone = SignatureComparer(KeySet([keys.paths[0], None], keys.bases), layout)
    with pytest.raises(StorageError, match="set aside"):
        gone.compare(np.array([0], np.uint32), np.array([10], np.uint32))
