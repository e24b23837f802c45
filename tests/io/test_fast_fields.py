"""The compiled path gives what orjson gives, on lines of every kind of damage."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.io.jsonl import fast
from gpucurate.io.jsonl.fast import parse_fields
from gpucurate.io.jsonl.parse import parse_lines
from gpucurate.ops.json_lines import scan_fields
from tests.depth import examples
from tests.emulator.json_material import damaged

FIELDS = ("text", "id", "", "téxt")

CHARACTERS = st.sampled_from([*list('ab \n\t"\\/{}[]:,é漢😀\u2028\x00\x7f'), "x" * 31, "y" * 70])
TEXTS = st.lists(CHARACTERS, max_size=12).map("".join)
NUMBERS = st.sampled_from(
    [0, -1, 1.5, -0.0, 1e22, 1e-7, 10**17, 10**18, 10**19, 2**63, -(2**63) - 1, 2**64, 10**40, 1e300]
)
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
RECORDS = st.dictionaries(st.sampled_from([*FIELDS, "other", 'a "b".c']), VALUES, max_size=5)
LAYOUTS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", "\r : ")])


@st.composite
def well_formed(draw):
    record, ascii_only, separators = draw(RECORDS), draw(st.booleans()), draw(LAYOUTS)
    if draw(st.booleans()):
        record["text"] = draw(TEXTS)
    return json.dumps(record, ensure_ascii=ascii_only, separators=separators).encode()


FRAGMENTS = st.sampled_from(
    [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\\u", b"\\ud83d", b"\\ude00", b"\\uDC0",
    b"\xff", b"\xc3",
     b"\xc0\xaf", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xf5",
     b"\x00",
     b"\x1f", b"1e5", b"1e99", b"1e100", b"1e400", b"-", b"0", b"01", b".", b".5", b"1.", b"E+", b"+1",
     b"null",
     b"nul", b"true", b"fals", b"NaN", b"Infinity", b'"text"', b'"text":"y",', b'"\\u0074ext":1,', b" ",
     b"\t",
     b"\r", b"\x0b", b"\xc2\xa0", b"\xef\xbb\xbf", b"\\x", b"\\u00g0", b"9" * 20, b"9" * 400, b"[" * 70,
     b"]" * 70,
     b'{"a":' * 300, b"/*", b"'"]
)  # fmt: skip


@st.composite
def lines_of_any_kind(draw):
    return damaged(draw, draw(well_formed()), FRAGMENTS).replace(b"\n", b" ")


def located(lines):
    data = np.frombuffer(b"\n".join(lines) + b"\n", np.uint8).copy()
    stops = np.cumsum([len(line) + 1 for line in lines]) - 1
    return data, stops - [len(line) for line in lines], stops


@pytest.fixture(autouse=True, scope="module")
def a_look_at_one_record():
    """So that lines with fields that the first ones do not have are met soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "_FIRST_RECORDS", 1)
        yield


def outcome(parse, lines, text_fields, max_depth=250, fields=FIELDS):
    parsed = parse(*located(lines), fields=fields, text_fields=text_fields, max_depth=max_depth)
    errors = [(i, error.reason, error.detail) for i, error in parsed.errors]
    return parsed.table.schema, repr(parsed.table.to_pylist()), parsed.accepted.tolist(), errors


@settings(max_examples=examples(300, 3000), deadline=None)
@given(
    lines=st.lists(lines_of_any_kind(), min_size=1, max_size=3),
    text_fields=st.sampled_from([(), ("text",), ("téxt", "text")]),
    max_depth=st.sampled_from([3, 250]),
    fields=st.sampled_from([FIELDS, None]),
)
def test_compiled_and_orjson_agree_on_rows_types_and_rejects(lines, text_fields, max_depth, fields):
    compiled = outcome(parse_fields, lines, text_fields, max_depth, fields)
    assert compiled == outcome(parse_lines, lines, text_fields, max_depth, fields)


def passes(line):
    return bool(scan_fields(*located([line]), FIELDS, max_depth=250)[1][0])


@settings(max_examples=examples(200, 2000), deadline=None)
@given(line=lines_of_any_kind())
def test_what_the_compiled_validator_passes_is_json_in_utf8_without_surrogates(line):
    if passes(line):
        record = json.loads(line.decode())
        assert isinstance(record, dict)
        json.dumps(record, ensure_ascii=False).encode()


@settings(max_examples=examples(100, 1000), deadline=None)
@given(record=st.fixed_dictionaries({"text": st.text(), "id": st.text()}), ascii_only=st.booleans())
def test_an_ordinary_line_takes_the_compiled_path(record, ascii_only):
    line = json.dumps(record, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    assert passes(line)


@pytest.mark.parametrize("size", range(28, 70))
@pytest.mark.parametrize("special", [b'\\"', b"\\n", "é".encode(), "😀".encode(), b"\\ud83d\\ude00"])
def test_strings_are_copied_right_at_every_border_of_a_block(size, special):
    lines = [b'{"text": "' + b"a" * (size - k) + special + b"b" * k + b'"}' for k in range(3)]
    assert outcome(parse_fields, lines, ("text",)) == outcome(parse_lines, lines, ("text",))
    assert all(map(passes, lines))
