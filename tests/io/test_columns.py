"""Values of fields other than text, whose types need not agree."""

import pyarrow as pa
import pytest

from tests.io.reading import read

COLUMNS = {
    "strings and missing": (['"a"', None, "null"], pa.large_string(), ["a", None, None]),
    "integers": (["1", "-2", "null"], pa.int64(), [1, -2, None]),
    "integers above 2**63": (["1", "18446744073709551615"], pa.uint64(), [1, 2**64 - 1]),
    "an integer beyond 64 bits": (["1", str(10**30)], pa.large_string(), ["1", str(10**30)]),
    "a large negative integer": ([str(-(2**63) - 1)], pa.large_string(), [str(-(2**63) - 1)]),
    "both signs beyond 64 bits": (["-1", str(2**64 - 1)], pa.large_string(), ["-1", str(2**64 - 1)]),
    "integers and strings": (["1", '"x"', "null"], pa.large_string(), ["1", "x", None]),
    "integers and fractions": (["1", "1.5"], pa.float64(), [1.0, 1.5]),
    "fractions and a long integer": (["1.5", str(2**60)], pa.large_string(), ["1.5", str(2**60)]),
    "large doubles": (["1e300", "2.5e20"], pa.float64(), [1e300, 2.5e20]),
    "booleans": (["true", "false"], pa.bool_(), [True, False]),
    "booleans and integers": (["true", "1"], pa.large_string(), ["true", "1"]),
    "lists": (["[1, 2]", "[]", "null"], pa.list_(pa.int64()), [[1, 2], [], None]),
    "objects": (['{"a": 1}', '{"a": 2}'], pa.struct({"a": pa.int64()}), [{"a": 1}, {"a": 2}]),
    "objects at odds": (['{"a": 1}', '{"a": "x"}'], pa.large_string(), ['{"a":1}', '{"a":"x"}']),
    "truth values and fractions below": (
        ['{"a": true}', '{"a": 1.5}'],
        pa.large_string(),
        ['{"a":true}', '{"a":1.5}'],
    ),
    "truth values and fractions in lists": (
        ["[[true]]", "[[0.5]]"],
        pa.large_string(),
        ["[[true]]", "[[0.5]]"],
    ),
    "integers and fractions below": (
        ['{"a": 1}', '{"a": 1.5}'],
        pa.struct({"a": pa.float64()}),
        [{"a": 1.0}, {"a": 1.5}],
    ),
    "objects and strings": (['{"a": 1}', '"x"'], pa.large_string(), ['{"a":1}', "x"]),
    "nothing": (["null", None], pa.null(), [None, None]),
}


@pytest.mark.parametrize("values, kind, expected", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("fields", [("x",), None], ids=["named", "all"])
def test_a_column_has_the_type_that_fits_all_its_values(tmp_path, values, kind, expected, fields):
    path = tmp_path / "a.jsonl"
    lines = ['{"y": 1}' if v is None else f'{{"y": 1, "x": {v}}}' for v in values]
    path.write_text("\n".join(lines))
    (piece,) = read(path, fields=fields, text_fields=()).pieces
    assert piece.rejects == []
    assert piece.table["x"].type == kind
    assert piece.table["x"].to_pylist() == expected


def test_a_field_that_no_record_has_is_null(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n')
    assert read(path, fields=("nowhere", "text")).rows == [{"nowhere": None, "text": "a"}]


def test_all_fields_come_in_the_order_in_which_they_appear(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"b": 1, "text": "x"}\n{"a": 2, "text": "y"}\n')
    assert read(path, fields=None).rows == [
        {"b": 1, "text": "x", "a": None},
        {"b": None, "text": "y", "a": 2},
    ]


def test_a_text_column_is_a_string_column_even_without_rows(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("{}\n")
    (piece,) = read(path).pieces
    assert piece.table.schema == pa.schema({"text": pa.large_string()})
