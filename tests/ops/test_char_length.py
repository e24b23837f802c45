"""Lengths in code points."""

from hypothesis import given, settings

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.char_length import char_length
from tests.ops import texts


@settings(deadline=None)
@given(texts.documents)
def test_any_text(documents):
    assert char_length(TextBuffers.from_strings(documents)).tolist() == [len(d or "") for d in documents]


def test_a_slice_and_a_long_document():
    documents = [*texts.AWKWARD, texts.long_document()]
    assert char_length(texts.as_slice(documents)).tolist() == [len(d or "") for d in documents]
