"""Parts of texts cut out of JSON lines: every other byte stays."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.io.jsonl.cut import cut_lines
from gpucurate.io.piece import LinesOriginal
from gpucurate.ops.segments import cut_spans, remove_spans, split
from tests.ops import texts
from tests.ops.test_segments import documents


def lines_of(raw: list[bytes]) -> LinesOriginal:
    """Lines with something before, between and after them."""
    data, starts, stops = b"junk", [], []
    for line in raw:
        data += b"\r\n"
        starts.append(len(data))
        data += line
        stops.append(len(data))
    return LinesOriginal(np.frombuffer(data, np.uint8), np.array(starts, int), np.array(stops, int))


def cut_of(raw: list[bytes], gone: set[str], field: str = "text") -> list[bytes]:
    """The lines without the lines of their texts that are in ``gone``."""
    text = TextBuffers.from_strings([json.loads(line)[field] for line in raw])
    found = split(text, "line")
    wanted = found.compared
    contents = [text.data[found.starts[i] : found.stops[i]].tobytes().decode() for i in wanted]
    cut = np.array([content in gone for content in contents], bool)
    made = cut_lines(lines_of(raw), field, text, cut_spans(text, found, cut))
    return [made.line(i) for i in range(len(made))]


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        (rb'{"a": 1.50, "text": "x\ngone\ny" , "b":[ ]}', rb'{"a": 1.50, "text": "x\ny" , "b":[ ]}'),
        (rb'{"text": "gone\u000ax\r\ny"}', rb'{"text": "x\r\ny"}'),
        (rb'{"text": "\u00e9 \ud83d\ude00\ngone"}', rb'{"text": "\u00e9 \ud83d\ude00"}'),
        (rb'{"text": "gone"}', rb'{"text": ""}'),
        (rb'{"text": "x\ny", "other": "gone"}', rb'{"text": "x\ny", "other": "gone"}'),
        (rb'{"te\u0078t": "x\ngone", "n": 1e2}', rb'{"te\u0078t":"x", "n": 1e2}'),  # a name with an escape
        (rb'{"text": 1, "text": "x\ngone\n\/"}', rb'{"text":"x\n/", "text":"x\n/"}'),  # a name twice
    ],
)  # fmt: skip
def test_only_what_stands_for_the_cut_goes(line: bytes, rest: bytes) -> None:
    assert cut_of([line], {"gone"}) == [rest]


def test_lines_of_which_nothing_goes_are_handed_back() -> None:
    text = TextBuffers.from_strings(["one", "two"])
    found = split(text, "line")
    lines = lines_of([b'{"text": "one"}', b'{"text": "two"}'])
    assert cut_lines(lines, "text", text, cut_spans(text, found, np.zeros(2, bool))) is lines


def test_text_that_is_not_that_of_the_lines_is_refused() -> None:
    text = TextBuffers.from_strings(["longer"])
    spans = cut_spans(text, split(text, "line"), np.array([True]))
    with pytest.raises(ValueError, match="not that of field 'text'"):
        cut_lines(lines_of([b'{"text": "one"}']), "text", text, spans)


@settings(deadline=None)
@given(documents, st.booleans(), st.sampled_from([0, 1, 2]), st.randoms())
def test_any_text_in_any_spelling(
    given: list[str | None], ascii_only: bool, odd: int, random: object
) -> None:
    rows = [{"before": "\n", "text": document or "", "after": [1, "\\"]} for document in given]
    raw = [json.dumps(row, ensure_ascii=ascii_only).encode() for row in rows]
    if odd:  # which the scanner leaves to others
        raw[::odd] = [b'{"text": 0, ' + line[1:] for line in raw[::odd]]
    text = texts.as_slice(given)
    found = split(text, "line")
    cut = np.array([random.random() < 0.5 for _ in found.compared], bool)  # type: ignore[attr-defined]
    spans = cut_spans(text, found, cut)
    rest = remove_spans(text, spans)
    made = cut_lines(lines_of(raw), "text", text, spans)
    assert len(made) == len(raw)
    for i, row in enumerate(rows):
        assert json.loads(made.line(i)) == {**row, "text": rest.document(i).decode()}
        assert spans.counts[i] or made.line(i) == raw[i]
