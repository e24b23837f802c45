from __future__ import annotations

import json
import random

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.io.jsonl.members import pattern_of, set_in_line
from gpucurate.io.jsonl.splice import set_fields
from gpucurate.io.piece import LinesOriginal
from gpucurate.ops.json_lines import find_lines


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


NAMES = ["lang", "score", "a/b"]
SPELLINGS = [*NAMES, "la\\u006eg", "\\u006Cang", "a\\/b", "langs", "lan", "x" * 70, "score_"]


def any_line(draw: random.Random) -> bytes:
    """An object that may have the names as keys, spelled somehow, or within long texts."""
    members = [
        f'"{draw.choice(SPELLINGS)}":{draw.choice(["1", "{ }", "[[]]", json.dumps(draw.choice(SPELLINGS))])}'
        for _ in range(draw.randrange(4))
    ]
    text = "".join(
        draw.choices(['\\"lang\\"', "word ", "\\n", "é", "\\\\", "}", "x" * 40], k=draw.randrange(20))
    )
    members.append(f'"text": "{text}"')
    draw.shuffle(members)
    return (
        f"{{ {', '.join(members) if draw.random() < 0.9 else ''} }}{draw.choice(['', ' ', chr(9)])}".encode()
    )


@pytest.mark.parametrize("seed", range(5))
def test_many_lines_at_once_are_what_they_are_one_by_one(seed):
    draw = random.Random(seed)
    held = [any_line(draw) for _ in range(200)]
    data = np.frombuffer(b"\n".join(held), np.uint8)
    starts, stops, _ = find_lines(data)
    numbers = [draw.choice([None, 0, 9, 10, -1, 2**63 - 1, -(2**63), draw.randrange(10**9)]) for _ in held]
    columns = {
        "lang": pa.array([draw.choice([None, "en", 'a "b"', "é"]) for _ in held]),
        "score": pa.chunked_array([pa.array(numbers[:50]), pa.array(numbers[50:], pa.int64())]),
        "a/b": pa.array([draw.choice([None, True, False]) for _ in held]),
    }
    rows = zip(*(column.to_pylist() for column in columns.values()), strict=True)
    values = [{name: orjson.dumps(v) for name, v in zip(columns, row, strict=True)} for row in rows]
    expected = [set_in_line(line, pattern_of(NAMES), v) for line, v in zip(held, values, strict=True)]
    made = set_fields(LinesOriginal(data, starts, stops), columns)
    assert [made.line(i) for i in range(len(made))] == expected
    assert made.data.tobytes() == b"".join(line + b"\n" for line in expected)


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint8(), pa.int32(), pa.uint64(), pa.float64()])
def test_numbers_of_every_type_are_written_as_json(kind):
    column = pa.array([0, 1, None, 100], kind)
    raw = b"{}\n{}\n{}\n{}"
    lines = LinesOriginal(np.frombuffer(raw, np.uint8), *find_lines(np.frombuffer(raw, np.uint8))[:2])
    made = set_fields(lines, {"n": column})
    assert [json.loads(made.line(i))["n"] for i in range(4)] == column.to_pylist()
