from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.io.jsonl.splice import set_fields
from gpucurate.io.piece import LinesOriginal


def spliced(line: str, **values: object) -> str:
    raw = line.encode()
    lines = LinesOriginal(np.frombuffer(raw, np.uint8), np.array([0]), np.array([len(raw)]))
    return set_fields(lines, {name: [value] for name, value in values.items()}).line(0).decode()


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("{}", '{"lang":"en"}'),
        ("{ }", '{"lang":"en"}'),
        ('{"a":  1.50 }  ', '{"a":  1.50,"lang":"en"}'),
        ('{"text":  "lang", "a": 1.50}', '{"text":  "lang", "a": 1.50,"lang":"en"}'),
        ('{"id": 12345678901234567890123, "lang":"x"}', '{"id": 12345678901234567890123, "lang":"en"}'),
        ('{"lang" : [1, {"a": 2}] , "b":  2}', '{"lang" :"en", "b":  2}'),
        ('{"la\\u006eg": 1,  "b": 2}', '{"la\\u006eg":"en",  "b": 2}'),
        ('{"a": {"lang": 3},  "c": 1.50}', '{"a": {"lang": 3},  "c": 1.50,"lang":"en"}'),
        ('{"a": ["lang", ":}"], "t": "\\"lang\\":"}',
         '{"a": ["lang", ":}"], "t": "\\"lang\\":","lang":"en"}'),
        ('{"lang":1,"lang":2}', '{"lang":"en","lang":"en"}'),
        ('{"": 1, "b":2}', '{"": 1, "b":2,"lang":"en"}'),
    ],
)  # fmt: skip
def test_a_field_is_set_and_no_other_byte_changes(line, result):
    assert spliced(line, lang="en") == result


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["a", "lang", "", "é", '"', "\\"]) | st.text(max_size=3), values, max_size=5
    ),
    st.booleans(),
    st.sampled_from([None, (",", ":"), (" ,", " : ")]),
)
def test_the_line_says_what_it_did_and_the_new_values(record, ascii_only, separators):
    line = json.dumps(record, ensure_ascii=ascii_only, separators=separators)
    try:
        line.encode()
    except UnicodeEncodeError:
        return
    assert json.loads(spliced(line, lang="en", a=[1])) == {**record, "lang": "en", "a": [1]}
