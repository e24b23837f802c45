"""Lines are found where a plain search finds them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.io.jsonl.lines import trim_carriage_returns
from gpucurate.ops.json_lines import find_lines


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([b"\n", b"\r\n", b"a", b" ", b"\t", b"\r", b"\x0b", b"\x85", b"x" * 33, b" " * 40]),
        max_size=30,
    )
)
def test_lines_are_what_a_split_at_lf_gives(parts):
    content = b"".join(parts)
    expected = content.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    data = np.frombuffer(content, np.uint8).copy()
    starts, stops, blank = find_lines(data)
    assert [content[a:b] for a, b in zip(starts, stops, strict=True)] == expected
    assert blank.tolist() == [not line.strip(b" \t\r") for line in expected]
    trimmed = trim_carriage_returns(data, starts, stops)
    assert [content[a:b] for a, b in zip(starts, trimmed, strict=True)] == [
        line.removesuffix(b"\r") for line in expected
    ]
