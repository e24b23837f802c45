"""Keys are taken in parts where memory runs out, and are the same."""

from __future__ import annotations

import numpy as np
import pytest

from gpucurate.dedup.sketch import MinHashSketch
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams
from gpucurate.spec.errors import OverBudgetError
from gpucurate.stages.deduplication.keys import DocumentKeys

TEXTS = TextBuffers.from_strings([f"text number {i} of some length " * (1 + i % 7) for i in range(100)])


class Scarce(DocumentKeys):
    """Lacks memory for more than so many bytes of text."""

    def take(self, text):
        self.calls.append(len(text))
        if text.nbytes > self.limit:
            raise MemoryError
        return super().take(text)


def stage(limit):
    made = Scarce(MinHashSketch(MinHashParams()))
    made.limit, made.calls = limit, []
    return made


def test_a_batch_that_does_not_fit_is_done_in_halves_and_gives_the_same_keys():
    roomy, scarce = stage(10**9), stage(2500)
    whole, parts = roomy._taken(TEXTS), scarce._taken(TEXTS)
    assert roomy.calls == [100]
    assert len(scarce.calls) > 4
    for one, other in zip(whole[:3], parts[:3], strict=True):
        assert np.array_equal(one, other)
    scarce.calls.clear()
    scarce._taken(TEXTS)
    assert 100 not in scarce.calls, "the next one is cut before it fails"


def test_one_document_that_never_fits_is_an_error_with_its_size():
    with pytest.raises(OverBudgetError, match=r"a batch of size \d+, which cannot be split"):
        stage(1)._taken(TEXTS)
