"""Figures as the values that JSON has."""

from __future__ import annotations

from collections import Counter

import numpy as np
import orjson
import pytest

from gpucurate.stages.shapes.plain import LARGEST, SMALLEST, plain


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (None, None),
        (np.True_, True),
        (np.int32(7), 7),
        (np.float32(0.5), 0.5),
        ("é", "é"),
        ((1, (2.5, "x")), [1, [2.5, "x"]]),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([1, "b", None], object), [1, "b", None]),
        (np.array([LARGEST], np.uint64), [LARGEST]),
        (Counter(a=2), {"a": 2}),
        ({"a": {"b": [SMALLEST, LARGEST]}}, {"a": {"b": [SMALLEST, LARGEST]}}),
    ],
)
def test_what_json_has_is_the_same_when_it_is_read_back(value, made):
    assert plain(value) == made
    assert type(plain(value)) is type(made)
    assert orjson.loads(orjson.dumps(plain(value))) == made


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": {1}}, r"value\['a'\] is a set"),
        ([b"x"], r"value\[0\] is a bytes"),
        ({1: 2}, "the key 1, and keys are text"),
        (float("inf"), "value is inf"),
        (np.array([1.0, np.nan]), r"value\[1\] is nan"),
        (np.array([1j]), "an array of complex128"),
        (np.datetime64("2024-01-01"), "an array of datetime64"),
        (LARGEST + 1, "beyond 64 bits"),
        (SMALLEST - 1, "beyond 64 bits"),
        ("\ud800", "not Unicode"),
        ({"\ud800": 1}, "a key of value is text that is not Unicode"),
        (object(), "value is a object"),
    ],
)
def test_what_json_has_not_is_refused_by_its_place(value, said):
    with pytest.raises(TypeError, match=said):
        plain(value)
