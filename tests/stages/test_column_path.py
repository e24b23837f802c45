"""Values of columns, and of what lies below them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpucurate.io.jsonl.fast import parse_fields
from gpucurate.stages.deduplication.column_path import ColumnPath


def read(values: list[Any]) -> pa.Table:
    """A column ``m`` as the reader of JSON lines gives it."""
    lines = [json.dumps({"m": value}).encode() for value in values]
    stops = np.cumsum([len(line) for line in lines])
    starts = stops - [len(line) for line in lines]
    data = np.frombuffer(b"".join(lines), np.uint8)
    return parse_fields(data, starts, stops, fields=["m"], text_fields=(), max_depth=64).table


@pytest.mark.parametrize(
    "beside",
    [[], [{"s": "text"}], [{"s": {"x": 1}}], [7], ["plain"], [[1]], [None], [{"other": 1}], [{}]],
)
def test_a_value_is_the_same_whatever_objects_stand_beside_it(beside: list[Any]) -> None:
    found = ColumnPath("m", ("s",)).of(read([{"s": 5}, *beside]))
    assert str(found[0].as_py()) == "5"
    assert len(found) == 1 + len(beside)


def test_keys_are_followed_as_deep_as_they_go() -> None:
    table = read([{"a": {"b": 1}}, {"a": {}}, {"a": None}, None])
    assert ColumnPath("m", ("a", "b")).of(table).to_pylist() == [1, None, None, None]
    assert ColumnPath("m", ("a", "b", "c")).of(table).to_pylist() == [None] * 4
    assert ColumnPath("m", ("z",)).of(table).to_pylist() == [None] * 4


def test_a_column_of_any_frame() -> None:
    assert ColumnPath("x").of(pd.DataFrame({"x": [1, 2]})).to_pylist() == [1, 2]
    chunked = pa.table({"x": pa.chunked_array([[1], [2]])})
    assert ColumnPath("x").of(chunked).to_pylist() == [1, 2]
    assert ColumnPath("x").of(pa.table({"x": pa.chunked_array([], pa.int64())})).to_pylist() == []


def test_a_path_is_written_with_dots() -> None:
    assert str(ColumnPath("meta", ("a", "b"))) == "meta.a.b"
