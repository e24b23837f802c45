"""Values of a column count the same however a reader typed them."""

from __future__ import annotations

import datetime
import decimal
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.column_values import distinct, number_in, numbers_of, texts_of
from gpucurate.io.jsonl.columns import column_of

UTC = datetime.UTC


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        (" -0.5e2 ", -50),
        (".5", 0.5),
        ("1e400", math.inf),
        ("true", 1),
        ("false", 0),
        ("1970-01-02", 86_400),
        ("1970-02", 31 * 86_400),
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01 01:00:00.5+01:00", 0.5),
        ("1970-01-01T00:00:00,25-0030", 1800.25),
        ("1970-01-01T00:00:60+00", 60),
        ("1969-12-31T23:59:59", -1),
        ("2024", 2024),
    ],
)
def test_a_text_reads_as_a_number_a_date_or_a_truth_value(text: str, number: float) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seven",
        "NaN",
        "inf",
        "1_000",
        "0x10",
        "2024-02-30",
        "2024-13-01",
        "24-01-01",
        "2024-01-01T25:00",
        "True",
        "٣",
    ],
)
def test_other_texts_have_no_value(text: str) -> None:
    assert math.isnan(number_in(text))


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pa.array([1, None, -3]), [1, None, -3]),
        (pa.array([2**64 - 1, None], pa.uint64()), [2.0**64, None]),
        (pa.array([0.5, math.nan, None]), [0.5, None, None]),
        (pa.array([1.5, None], pa.float16()), [1.5, None]),
        (pa.array([decimal.Decimal("2.50"), None]), [2.5, None]),
        (pa.array([True, False, None]), [1, 0, None]),
        (pa.array([datetime.date(1970, 1, 2), None]), [86_400, None]),
        (pa.array([datetime.datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC), None]), [1.5, None]),
        (pa.array([1], pa.timestamp("ns")), [1e-9]),
        (pa.array(["5", "x", None]), [5, None, None]),
        (pa.array(["5", "x", None]).dictionary_encode(), [5, None, None]),
        (pa.array(["5", None], pa.string_view()), [5, None]),
        (pa.array([None, None]), [None, None]),
        (pa.array([[1], [2]]), [None, None]),
        (pa.array([{"a": 1}]), [None]),
        (pa.array([b"5"]), [None]),
        (pa.array([], pa.string()), []),
    ],
)
def test_every_type_of_arrow_has_numbers_or_none(column: pa.Array, numbers: list[float | None]) -> None:
    assert [None if math.isnan(value) else value for value in numbers_of(column)] == numbers


def test_a_slice_of_a_column_has_its_own_values() -> None:
    column = pa.array(["1", None, "3", "4"])[1:3]
    assert np.array_equal(numbers_of(column), [np.nan, 3], equal_nan=True)
    assert texts_of(column) == [None, "3"]


def test_dates_agree_whether_they_are_text_or_typed() -> None:
    moments = [datetime.datetime(2024, 5, 6, 7, 8, 9, micro, UTC) for micro in (0, 1, 250_000, 999_999)]
    typed = numbers_of(pa.array(moments))
    assert np.array_equal(typed, numbers_of(pa.array([moment.isoformat() for moment in moments])))
    assert len(set(typed.tolist())) == len(moments)


JSON = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["7", "x", "2024-01-01", "true"]),
)


VALUES = st.one_of(
    JSON,
    st.sampled_from([1000.0, -0.0, 1e-7, 1e22, 0.5, [1], {"a": 1}, [], "1000.0", "1.50", "1e3", "[x", "-"]),
)


@settings(deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=8))
def test_a_value_has_the_same_text_whatever_stands_beside_it(values: list[Any]) -> None:
    alone = [texts_of(column_of([value]))[0] for value in values]
    assert texts_of(column_of(values)) == alone


@pytest.mark.parametrize(
    "text", ["1.50", "1e3", "01.5", "[x", "{}x", "-", "--1.0", "1.0 ", "2024", "007", ""]
)
def test_a_string_that_no_reader_made_of_a_number_or_a_list_stays_as_it_is(text: str) -> None:
    assert texts_of(pa.array([text])) == [text]


@settings(deadline=None)
@given(values=st.lists(JSON, min_size=1, max_size=8))
def test_a_value_counts_the_same_whatever_stands_beside_it(values: list[Any]) -> None:
    alone = [numbers_of(column_of([value]))[0] for value in values]
    assert np.array_equal(numbers_of(column_of(values)), alone, equal_nan=True)


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([2024, None]), ["2024", None]),
        (pa.array([2024.0, 0.5, math.inf]), ["2024", "0.5", "inf"]),
        (pa.array([True]), ["true"]),
        (pa.array(["en", ""]), ["en", ""]),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
        (pa.array([[1]]), [None]),
        (pa.array([b"x"]), [None]),
    ],
)
def test_values_as_text(column: pa.Array, texts: list[str | None]) -> None:
    assert texts_of(column) == texts


def test_distinct_values_and_where_they_are() -> None:
    values, places = distinct(pa.array(["b", None, "a", "b"]))
    assert [None if at < 0 else values[at].as_py() for at in places.tolist()] == ["b", None, "a", "b"]
    assert distinct(pa.nulls(2))[1].tolist() == [-1, -1]
