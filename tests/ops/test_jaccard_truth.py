"""Exact similarities are those of an independent computation."""

from functools import cache

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.jaccard import jaccard, shared_shingles
from gpucurate.ops.minhash import MinHashParams
from gpucurate.ops.unicode import SOLO, unicode_tables


@cache
def is_solo(character):
    return unicode_tables().class_of(ord(character)) == SOLO


@pytest.mark.truth
@pytest.mark.parametrize(("shingle", "ngram"), [("char", 24), ("char", 5), ("word", 5)])
def test_similarities_of_revisions(revisions, shingle, ngram):
    """The data set gives those of words of lower-cased text, of characters of the text as it is."""
    documents = [d.lower() for d in revisions.documents] if shingle == "word" else revisions.documents
    left, right, truth = revisions.among(f"j_{shingle}{ngram}")
    if shingle == "word":  # a Chinese character is a word here, and not in the data set
        spaced = np.array([not any(is_solo(c) for c in document) for document in documents])
        left, right, truth = (values[spaced[left] & spaced[right]] for values in (left, right, truth))
    params = MinHashParams(shingle=shingle, ngram=ngram)
    found = jaccard(*shared_shingles(TextBuffers.from_strings(documents), left, right, params))
    assert len(truth) > 5000
    assert np.abs(found - truth).max() < 1e-6
