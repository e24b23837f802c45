from __future__ import annotations

import os

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from gpucurate.spec.names import decode_name, encode_name


@given(st.binary(min_size=1))
@example(b"a/b\n%.jsonl")
@example(b"\xff\xfe")
@example("ünïcode\u2028\u200b.jsonl".encode())
@example(b"%41")
@example(b"\x7f\x1b[31m")
def test_every_file_name_survives_and_can_be_printed(raw):
    name = os.fsdecode(raw)
    encoded = encode_name(name)
    assert encoded.isprintable()
    assert orjson.loads(orjson.dumps(encoded)) == encoded
    assert os.fsencode(decode_name(encoded)) == raw


@given(st.text(st.characters(categories=["L", "N"])))
def test_ordinary_names_stay_as_they_are(name):
    assert encode_name(name) == name


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_different_names_stay_different(one, other):
    assert (encode_name(os.fsdecode(one)) == encode_name(os.fsdecode(other))) == (one == other)
