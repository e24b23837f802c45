"""JSON lines on the CPU: what the contract says of lines, fields and strings."""

import json
from itertools import pairwise

import numpy as np
import pytest

from gpucurate.ops.json_lines import (
    ESCAPED,
    KIND,
    MISSING,
    NULL,
    OTHER,
    PLAIN,
    copy_strings,
    find_lines,
    scan_fields,
)


def scanned(content, fields, **limits):
    data = np.frombuffer(content, np.uint8)
    starts, stops, _ = find_lines(data)
    return (data, *scan_fields(data, starts, stops, fields, **{"max_depth": 9} | limits))


def test_each_kind_of_value_is_found_where_it_lies():
    line = b'{"a": "x", "b": "\\u00e9", "c": null, "d": [1, {}], "e": -1.5e3, "g": true}'
    _, found, passed = scanned(line, list("abcdefg"))
    assert passed.tolist() == [True]
    assert found[0, :, KIND].tolist() == [PLAIN, ESCAPED, NULL, OTHER, OTHER, MISSING, OTHER]
    values = [line[begin:end] for begin, end in found[0, :, 1:3].tolist()]
    assert values == [b"x", b"\\u00e9", b"null", b"[1, {}]", b"-1.5e3", b"", b"true"]
    assert found[0, :2, 3].tolist() == [1, 2]


def test_a_line_that_does_not_pass_leaves_nothing():
    _, found, passed = scanned(b'{"a": "x", "b": 01}\n{"a": "x", "b": 1}', ["a", "b"])
    assert passed.tolist() == [False, True]
    assert not found[0].any()
    assert found[1].any()


@pytest.mark.parametrize(
    ("line", "limits", "passes"),
    [
        (b'{"a": [[1]]}', {"max_depth": 3}, True),
        (b'{"a": [[1]]}', {"max_depth": 2}, False),
        (b'{"a": ' + b"[" * 59 + b"]" * 59 + b"}", {"max_depth": 99}, True),
        (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", {"max_depth": 99}, False),
        (b'{"a": 1, "b": {"c": 2}}', {"only": True}, False),
        (b'{"a": {"c": 2}}', {"only": True}, True),
        (b'{"a": 1, "a": 2}', {}, False),
        (b'{"\\u0061": 1}', {}, False),
        (b'["a"]', {}, False),
        (b"", {}, False),
    ],
)
def test_unusual_lines_do_not_pass(line, limits, passes):
    _, _, passed = scanned(line + b"\n", ["a"], **limits)
    assert passed.tolist() == [passes]


def test_strings_are_copied_without_escapes_and_other_values_are_null():
    values = ["plain", 'q"\\\n\u00e9\U0001f600', None, 7, "", "\u6587"]
    lines = [json.dumps({"id": i, "text": value}) for i, value in enumerate(values)]
    data, found, passed = scanned("\n".join([*lines, '{"id": 9}']).encode(), ["id", "text"])
    assert passed.all()
    strings, offsets, valid = copy_strings(data, found[:, 1])
    copied = [strings[a:b].tobytes().decode() for a, b in pairwise(offsets)]
    assert copied == [value if isinstance(value, str) else "" for value in [*values, None]]
    assert valid.tolist() == [isinstance(value, str) for value in [*values, None]]


@pytest.mark.parametrize("count", [0, 17])
def test_too_few_and_too_many_fields_are_refused(count):
    with pytest.raises(ValueError, match=f"{count} fields were asked for: a scan takes 1 to 16"):
        scanned(b"{}", [f"f{i}" for i in range(count)])


def test_nothing_is_found_in_nothing():
    data, found, passed = scanned(b"", ["a"])
    assert found.shape == (0, 1, 4)
    assert len(passed) == 0
    assert [len(each) for each in copy_strings(data, found[:, 0])] == [0, 1, 0]
