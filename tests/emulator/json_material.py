"""JSON lines that an extractor could get wrong."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import strategies as st

LINES = [
    b"",
    b"\n",
    b"\n\n\r\n",
    b"{}",
    b"{}\n",
    b'{"text": "a"}\r\n{"text": "b"}\r\n',
    b'{"text": "a"}\n \t\r\n{"id": "\xe2\x80\xa8\xc2\x85"}\x0b\n' + b" " * 600 + b"\n" + b" " * 511 + b"x",
    b"\n" * 300 + b'{"text": null}' + b"\n" * 40,
]
"""Empty ones, blank ones, LF, CR LF, with and without LF at the end."""

SEQUENCES = {
    "well-formed, 2 bytes": b"\xc2\x80\xdf\xbf",
    "well-formed, 3 bytes": b"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
    "well-formed, 4 bytes": b"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
    "overlong, 2 bytes": b"\xc1\xbf",
    "overlong, 3 bytes": b"\xe0\x9f\xbf",
    "overlong, 4 bytes": b"\xf0\x8f\xbf\xbf",
    "high surrogate": b"\xed\xa0\x80",
    "low surrogate": b"\xed\xbf\xbf",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "lead of F5": b"\xf5\x80\x80\x80",
    "lead of F6": b"\xf6\x80\x80\x80",
    "lead of F7": b"\xf7\x80\x80\x80",
    "lead of five bytes": b"\xf8\x88\x80\x80\x80",
    "no lead at all": b"\xff",
    "continuation alone": b"\x80",
    "continuation too many": b"\xc3\xa9\xbf",
    "truncated, 2 bytes": b"\xc3",
    "truncated, 3 bytes": b"\xe6\x96",
    "truncated, 4 bytes": b"\xf0\x9f\x98",
    "lead behind lead": b"\xe6\xe6\x96\x87",
}
"""Every class of well-formed and malformed UTF-8, by name."""

STRUCTURES = [
    b'{"a": 1}x',
    b'{"a": 1,}',
    b'{,"a": 1}',
    b'{"a" 1}',
    b'{"a":: 1}',
    b'{"a": }',
    b'{"a"',
    b'{"a',
    b'{"a":',
    b'{"a": "x"',
    b'{"a": [1, {"b": [], "c": {}}, "x"], "b": {"a": [{}]}} ',
    b'{"a": [1,]}',
    b'{"a": [,1]}',
    b'{"a": [1 2]}',
    b'{"a": [1}}',
    b'{"a": {"b": 1]}',
    b'{"a": {1: 2}}',
    b"[1]",
    b'"a"',
    b"1",
    b"{}{}",
    b"{} \t\r",
    b'{"a": 1, "a": 2}',
    b'{"a": null, "b": 1, "a": 2}',
    b'{"c": 1, "c": 2}',
    b'{"b": {"a": 1, "a": 2}}',
    b'{"\\u0061": 1}',
    b'{"b": {"\\n": 1}}',
    b'{ \t"a"\r :\t"x" , "b" : null\r}',
    b'{"a"\n: 1}',
    b'{"aa": 1, "": 2, "A": 3}',
    b'\xef\xbb\xbf{"a": 1}',
    b'{"a": \xc2\xa01}',
    b'{"a": "x" /* no */}',
    *(
        b'{"a": ' + value + end
        for value in b"0 -0 -1 01 -01 - + +1 1. .5 1.5 -1.5e3 1e5 1E+05 1e-99 1e100 1e 1e+ 1.e3 0x1 0e0 "
        b"123456789012345678 1234567890123456789 0.1234567890123456789012 "
        b"true false null tru nul fals True trueX nullnull NaN Infinity".split()
        for end in (b"}", b', "b": [' + value + b"]}", b"")
    ),
]
"""Lines with and without errors between their strings."""

CHARACTERS = st.sampled_from([*list('ab \n\t"\\/{}[]:,é漢😀\u2028\x00\x7f'), "x" * 31, "y" * 500])
TEXTS = st.lists(CHARACTERS, max_size=12).map("".join)
VALUES = st.recursive(
    st.one_of(TEXTS, st.sampled_from([0, -1, 1.5, 10**18, 1e300]), st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
RECORDS = st.dictionaries(st.sampled_from(["text", "id", "", "téxt", "other"]), VALUES, max_size=5)
FRAGMENTS = st.sampled_from(
    [b'"', b"\\", b"{", b"}", b"]", b",", b":", b"\\u", b"\\ud83d", b"\\ude00", b"\\uDC0", b"\\\\", b"\x1f",
     b"\xff", b"\xc3", *SEQUENCES.values(), b"1e99", b"-", b"01", b"nul", b'"text":"y",', b'"\\u0074ext":1,',
     b"\t", b"\r", b"[" * 70, b'{"a":' * 9]
)  # fmt: skip


@st.composite
def lines_of_any_kind(draw: st.DrawFn) -> bytes:
    """A JSON line, of which a few places were changed."""
    dumped = json.dumps(draw(RECORDS), ensure_ascii=draw(st.booleans())).encode()
    return damaged(draw, dumped, FRAGMENTS)


def damaged(draw: st.DrawFn, whole: bytes, fragments: st.SearchStrategy[bytes]) -> bytes:
    """A line with up to three changes: a fragment put in, bytes taken out or replaced, the end cut off."""
    line = bytearray(whole)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(line)))
        match draw(st.integers(0, 3)):
            case 0:
                line[at:at] = draw(fragments)
            case 1:
                del line[at : at + draw(st.integers(1, 4))]
            case 2:
                line[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case _:
                del line[at:]
    return bytes(line)


def record(size: int) -> bytes:
    """A line with a text of so many characters, every seventh of them not ASCII, and some escapes."""
    special, plain = 'é漢\n😀"\\\t', "abcdefghijklm"
    text = "".join(plain[i % 13] if i % 7 else special[i // 7 % 7] for i in range(size))
    return json.dumps({"id": str(size), "text": text, "n": size}, ensure_ascii=size % 2 == 0).encode()


def shifted(content: bytes, by: int) -> np.ndarray:
    """The bytes as an array that begins ``by`` bytes behind an address divisible by 64."""
    room = np.zeros(len(content) + 64 + by, np.uint8)
    start = -room.ctypes.data % 64 + by
    room[start : start + len(content)] = np.frombuffer(content, np.uint8)
    return room[start : start + len(content)]
