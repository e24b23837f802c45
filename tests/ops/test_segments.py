"""Lines and paragraphs against plain Python."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.segments import character_offsets, compared_text, cut_spans, remove_spans, split
from gpucurate.ops.segments.contract import BLANK, GRAINS
from tests.ops import segment_oracle as oracle
from tests.ops import texts

PIECES = [
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    " ",
    "\t",
    "\u00a0",
    "\u2003",
    "\u2028",
    "\u3000",
    "\v",
    "a",
    "bc",
    "é",
    "日本",
    "😀",
]
documents = st.lists(
    st.one_of(st.none(), st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.text(max_size=30)),
    max_size=8,
)
grains = st.sampled_from(GRAINS)


def contents(text, found, document):
    some = slice(found.firsts[document], found.firsts[document + 1])
    return [
        text.data[a:b].tobytes().decode() for a, b in zip(found.starts[some], found.stops[some], strict=True)
    ]


@settings(deadline=None)
@given(documents, grains, st.integers(1, 6))
def test_segments_of_any_text(given_documents, grain, min_length):
    for text in (TextBuffers.from_strings(given_documents), texts.as_slice(given_documents)):
        found = split(text, grain, min_length)
        expected = [oracle.segments(document or "", grain) for document in given_documents]
        assert [contents(text, found, i) for i in range(len(text))] == expected
        flat = [segment for of_document in expected for segment in of_document]
        compared = [oracle.is_compared(segment, min_length) for segment in flat]
        assert np.isin(np.arange(len(flat)), found.compared).tolist() == compared
        assert (found.kinds == BLANK).tolist() == [not oracle.strip(segment) for segment in flat]
        wanted = [segment for segment, yes in zip(flat, compared, strict=True) if yes]
        assert texts.strings(compared_text(text, found)) == wanted


@settings(deadline=None)
@given(documents, grains, st.integers(1, 3), st.randoms())
@example(["one\n\ntwo"], "line", 1, None)
def test_what_remains_of_any_text(given_documents, grain, min_length, random):
    text = texts.as_slice(given_documents)
    found = split(text, grain, min_length)
    cut = np.array([random is None or random.random() < 0.5 for _ in found.compared], bool)
    gone = np.zeros(len(found), bool)
    gone[found.compared] = cut
    spans = cut_spans(text, found, cut)
    rest = remove_spans(text, spans)
    for i, document in enumerate(given_documents):
        of_document = gone[found.firsts[i] : found.firsts[i + 1]].tolist()
        expected = oracle.cut(document or "", grain, of_document)
        assert rest.document(i).decode() == expected
        assert spans.emptied[i] == (any(of_document) and not oracle.strip(expected))
        assert spans.counts[i] == 0 or any(of_document)
    assert rest.nbytes == text.nbytes - spans.nbytes
    assert texts.strings(rest) == [
        None if document is None else rest.document(i).decode() for i, document in enumerate(given_documents)
    ]
    assert (spans.stops > spans.starts).all()


@settings(deadline=None)
@given(documents, grains)
def test_spans_in_characters_are_those_of_python(given_documents, grain):
    text = texts.as_slice(given_documents)
    found = split(text, grain)
    starts = character_offsets(text, found.starts, found.firsts)
    stops = character_offsets(text, found.stops, found.firsts)
    for i, document in enumerate(given_documents):
        some = slice(found.firsts[i], found.firsts[i + 1])
        cut = [document[a:b] for a, b in zip(starts[some], stops[some], strict=True)]
        assert cut == oracle.segments(document or "", grain)


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("\r\n\r\n", ["", ""]),
        ("a\r", ["a\r"]),
        ("a\r\r\nb\n", ["a\r", "b"]),
        ("a\x85b\u2028c\vd", ["a\x85b\u2028c\vd"]),
    ],
)
def test_only_a_newline_ends_a_line(document, lines):
    text = TextBuffers.from_strings([document])
    assert contents(text, split(text, "line"), 0) == lines


@pytest.mark.parametrize(
    ("document", "gone", "rest"),
    [
        ("one\ntwo\nthree", [1], "one\nthree"),
        ("one\ntwo\nthree", [2], "one\ntwo"),
        ("one\ntwo\r\n", [1], "one\r\n"),
        ("one\ntwo\n", [0, 1], ""),
    ],
)
def test_a_document_ends_as_it_ended(document, gone, rest):
    text = TextBuffers.from_strings([document])
    found = split(text, "line")
    cut = np.isin(np.arange(len(found.compared)), gone)
    assert remove_spans(text, cut_spans(text, found, cut)).document(0).decode() == rest


def test_a_paragraph_goes_with_the_blank_lines_after_it():
    text = TextBuffers.from_strings(["\none\nmore\n \n\ntwo\n\n\nthree\n"])
    found = split(text, "paragraph")
    assert contents(text, found, 0) == ["one\nmore", "two", "three"]
    rest = remove_spans(text, cut_spans(text, found, np.array([False, True, False])))
    assert rest.document(0) == b"\none\nmore\n \n\nthree\n"


def test_white_space_does_not_make_a_segment_long():
    text = TextBuffers.from_strings(["\u3000  }\u00a0\u2003\nfour\néé日😀"])
    assert split(text, "line", 4).compared.tolist() == [1, 2]
    assert split(text, "line", 5).compared.tolist() == []


def test_marks_that_do_not_fit_are_refused():
    text = TextBuffers.from_strings(["one\n\ntwo"])
    with pytest.raises(ValueError, match="2 segments were compared"):
        cut_spans(text, split(text, "line"), np.array([True]))
