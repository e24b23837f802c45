"""Lines of JSON that are not as they should be: each is one reject, and costs no other line."""

import json

import orjson
import pytest

from tests.io.reading import ReadLimits, read

GOOD = [json.dumps({"id": i, "text": f"text {i}"}).encode() for i in range(10)]

BAD_LINES = {
    "array": (b'["text"]', "not_an_object"),
    "string": (b'"text"', "not_an_object"),
    "number": (b"42", "not_an_object"),
    "null": (b"null", "not_an_object"),
    "true": (b"true", "not_an_object"),
    "cut off": (b'{"text": "abc', "bad_json"),
    "invalid UTF-8 in the text": (b'{"text": "a\xffb"}', "invalid_utf8"),
    "invalid UTF-8 elsewhere": (b'{"text": "ab", "x": "\xc3"}', "invalid_utf8"),
    "encoded surrogate": (b'{"text": "\xed\xa0\x80"}', "invalid_utf8"),
    "overlong slash": (b'{"text": "\xc0\xaf"}', "invalid_utf8"),
    "beyond Unicode": (b'{"text": "\xf4\x90\x80\x80"}', "invalid_utf8"),
    "no text": (b'{"id": 1}', "missing_text"),
    "empty object": (b"{}", "missing_text"),
    "null text": (b'{"text": null}', "null_text"),
    "number as text": (b'{"text": 7}', "wrong_type"),
    "array as text": (b'{"text": ["a"]}', "wrong_type"),
    "object as text": (b'{"text": {"a": 1}}', "wrong_type"),
    "lone high surrogate": (rb'{"text": "\ud83d"}', "bad_json"),
    "lone low surrogate": (rb'{"text": "\ude00"}', "bad_json"),
    "surrogate and letter": (rb'{"text": "\ud83d\u0041"}', "bad_json"),
    "NaN": (b'{"text": "a", "x": NaN}', "bad_json"),
    "Infinity": (b'{"text": "a", "x": Infinity}', "bad_json"),
    "number out of range": (b'{"text": "a", "x": 1e400}', "bad_json"),
    "leading zero": (b'{"text": "a", "x": 01}', "bad_json"),
    "raw control character": (b'{"text": "a\x01"}', "bad_json"),
    "raw tab": (b'{"text": "a\tb"}', "bad_json"),
    "single quotes": (b"{'text': 'a'}", "bad_json"),
    "trailing comma": (b'{"text": "a",}', "bad_json"),
    "comment": (b'{"text": "a"} // x', "bad_json"),
    "two records": (b'{"text": "a"}{"text": "b"}', "bad_json"),
    "unknown escape": (rb'{"text": "\x41"}', "bad_json"),
    "short escape": (rb'{"text": "\u00g0"}', "bad_json"),
    "byte order mark in the middle": (b'\xef\xbb\xbf{"text": "a"}', "bad_json"),
    "nested 3,000 deep": (b'{"text": "a", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}", "too_deep"),
    "nested and broken": (b'{"text": "a", "x": ' + b"[" * 3000, "too_deep"),
}


@pytest.mark.parametrize("line, reason", BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_one_reject_and_the_others_are_kept(tmp_path, line, reason):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([*GOOD[:4], line, *GOOD[4:]]) + b"\n")
    outcome = read(path)
    assert outcome.reasons == [(reason, 4)]
    assert outcome.texts == [f"text {i}" for i in range(10)]
    assert outcome.originals == GOOD
    assert outcome.records == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]
    ((_, _, offset, detail, snippet),) = outcome.rejects
    assert offset == sum(len(g) + 1 for g in GOOD[:4])
    assert snippet == line[:200]
    assert detail


STRANGE_BUT_RIGHT = {
    "escaped NUL": (rb'{"text": "a\u0000b"}', "a\0b"),
    "every escape": (rb'{"text": "\"\\\/\b\f\n\r\t\u00e9\u6f22\ud83d\ude00"}', '"\\/\b\f\n\r\té漢😀'),
    "line separators": ('{"text": "a\u2028b\u2029c\u0085d"}'.encode(), "a\u2028b\u2029c\u0085d"),
    "escaped VT and FF": (rb'{"text": "a\u000bb\fc"}', "a\vb\fc"),
    "DEL": (b'{"text": "a\x7fb"}', "a\x7fb"),
    "joiners and overrides": (
        '{"text": "👩\u200d👩\u200d👧 \u202eabc"}'.encode(),
        "👩\u200d👩\u200d👧 \u202eabc",
    ),
    "NFD": ('{"text": "e\u0301"}'.encode(), "e\u0301"),
    "non-characters": ('{"text": "\ufffe\uffff\U0010ffff"}'.encode(), "\ufffe\uffff\U0010ffff"),
    "private use": ('{"text": "\ue000"}'.encode(), "\ue000"),
    "only white space": (b'{"text": "  \\n "}', "  \n "),
    "empty": (b'{"text": ""}', ""),
    "duplicate key, the last wins": (b'{"text": "a", "text": "b"}', "b"),
    "duplicate key by an escape": (rb'{"text": "a", "\u0074ext": "b"}', "b"),
    "spaces everywhere": (b' { "text" : "a" , "x" : [ ] } ', "a"),
    "nested text of no interest": (b'{"x": {"text": 1}, "text": "a", "y": [{"text": null}]}', "a"),
    "long integer": (b'{"x": 123456789012345678901234567890, "text": "a"}', "a"),
    "nested 200 deep": (b'{"text": "a", "x": ' + b"[" * 199 + b"]" * 199 + b"}", "a"),
    "brackets inside of a string": (b'{"text": "' + b"[" * 3000 + b'"}', "[" * 3000),
    "ten MB word": (b'{"text": "' + b"w" * 10_000_000 + b'"}', "w" * 10_000_000),
}


@pytest.mark.parametrize("line, text", STRANGE_BUT_RIGHT.values(), ids=STRANGE_BUT_RIGHT)
def test_a_strange_line_that_is_right_is_kept_to_the_byte(tmp_path, line, text):
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD[0] + b"\n" + line + b"\n" + GOOD[1])
    outcome = read(path)
    assert outcome.rejects == []
    assert outcome.texts == ["text 0", text, "text 1"]
    assert outcome.originals == [GOOD[0], line, GOOD[1]]


def test_blank_lines_count_as_records_and_are_no_rejects(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n" + GOOD[0] + b"\n\n \t\r\n" + GOOD[1] + b"\n\n")
    outcome = read(path)
    assert (outcome.num_records, outcome.num_blank, outcome.rejects) == (6, 4, [])
    assert outcome.records == [1, 4]


def test_crlf_ends_a_line_and_is_no_part_of_the_original(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\r\n".join(GOOD) + b"\r\n")
    outcome = read(path)
    assert outcome.originals == GOOD
    assert outcome.num_records == 10


def test_the_last_line_needs_no_newline(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(GOOD))
    assert read(path).originals == GOOD


@pytest.mark.parametrize("unit", [1, 2, 3, 4, 5, 1 << 30])
def test_a_byte_order_mark_is_dropped_wherever_the_first_range_ends(tmp_path, unit):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(GOOD[:2]))
    outcome = read(path, unit)
    assert outcome.originals == GOOD[:2]
    assert outcome.rejects == []


def test_a_file_of_nothing_but_a_byte_order_mark_is_empty(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf")
    assert read(path).num_records == 0


def test_an_empty_file_has_no_records_and_no_rejects(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"")
    outcome = read(path)
    assert (outcome.num_records, outcome.rejects) == (0, [])


def test_depth_is_limited_where_the_limit_says(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a", "x": [[]]}\n{"text": "b", "x": [[[]]]}')
    assert read(path, limits=ReadLimits(max_depth=3)).reasons == [("too_deep", 1)]


def test_field_names_may_hold_anything(tmp_path):
    names = ["a.b", "a b", 'a"b', "a\\b", "é漢", "", "\n", "x" * 300]
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps({name: f"value of {name}" for name in names}))
    outcome = read(path, fields=names, text_fields=names)
    assert outcome.rows == [{name: f"value of {name}" for name in names}]


def test_ten_thousand_columns_are_read(tmp_path):
    names = [f"c{i}" for i in range(10_000)]
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps(dict.fromkeys(names, "x")) + b"\n")
    assert read(path, fields=names, text_fields=names[:1]).pieces[0].table.column_names == names
    assert read(path, fields=None, text_fields=()).pieces[0].table.column_names == names


def test_without_fields_lines_are_located_and_not_parsed(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([*GOOD, b"{broken", b"", b"[]"]))
    outcome = read(path, fields=(), text_fields=())
    assert outcome.originals == [*GOOD, b"{broken", b"[]"]
    assert outcome.records == [*range(11), 12]
    assert sum(p.num_rows for p in outcome.pieces) == 12
    assert outcome.pieces[0].table.num_columns == 0
