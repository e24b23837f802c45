"""Lower case and single spaces."""

import numpy as np
from hypothesis import given, settings

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.normalize import normalize
from gpucurate.ops.unicode import SPACE, unicode_tables
from tests.ops import texts

TABLES = unicode_tables()


def reference(document):
    if document is None:
        return None
    spaced = "".join(" " if TABLES.class_of(ord(c)) == SPACE else c for c in document)
    collapsed = " ".join(part for part in spaced.split(" ") if part)
    return "".join(chr(TABLES.normal_of(ord(c))) for c in collapsed)


def normalized(documents):
    return texts.strings(normalize(TextBuffers.from_strings(documents)))


@settings(deadline=None)
@given(texts.documents)
def test_any_text(documents):
    assert normalized(documents) == [reference(d) for d in documents]


def test_awkward_documents_and_a_long_one():
    documents = [*texts.AWKWARD, texts.long_document()]
    assert normalized(documents) == [reference(d) for d in documents]


def test_white_space_across_the_ends_of_blocks():
    documents = [
        " " * a + "X" * b + "\n" * c + "Y" for a in (0, 1, 127, 128) for b in (1, 127) for c in (1, 130)
    ]
    assert normalized(documents) == [reference(d) for d in documents]


def test_output_may_be_longer_than_input():
    assert normalized(["\u023a" * 1000]) == ["\u2c65" * 1000]


def test_a_slice_of_an_arrow_column_and_its_nulls():
    result = normalize(texts.as_slice(texts.AWKWARD))
    assert texts.strings(result) == [reference(d) for d in texts.AWKWARD]
    assert result.offsets[0] == 0


def test_normalising_twice_changes_nothing():
    once = normalize(TextBuffers.from_strings(texts.AWKWARD))
    assert texts.strings(normalize(once)) == texts.strings(once)


def test_the_input_is_not_changed():
    text = TextBuffers.from_strings(["A  B"])
    data = text.data.copy()
    normalize(TextBuffers(data, text.offsets))
    assert np.array_equal(data, text.data)


def test_no_documents():
    assert len(normalize(TextBuffers.from_strings([]))) == 0
