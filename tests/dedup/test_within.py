"""Keys meet inside one value of a column and nowhere else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gpucurate.dedup.within import count_without, keys_within


@pytest.mark.parametrize("wide", [True, False])
def test_equal_keys_stay_equal_only_within_a_value(wide: bool) -> None:
    keys = np.tile(np.array([[7, 9]], np.uint64), (6, 1))
    made = keys_within(keys, pa.array(["en", "de", "en", None, "", None]), wide=wide)
    groups = [made[i].tobytes() for i in range(6)]
    assert groups[0] == groups[2]
    assert groups[3] == groups[5]
    assert len(set(groups)) == 4


def test_both_words_of_a_wide_key_change_each_by_its_own() -> None:
    keys = np.zeros((1, 2), np.uint64)
    ((first, second),) = keys_within(keys, pa.array(["en"]), wide=True)
    assert len({0, int(first), int(second)}) == 3
    ((one, other),) = keys_within(keys, pa.array(["en"]), wide=False)
    assert one == other == first


def test_the_type_of_a_column_does_not_matter() -> None:
    keys = np.ones((1, 1), np.uint64)
    columns = [
        pa.array(["2024"]),
        pa.array([2024]),
        pa.array([2024.0]),
        pa.array(["2024"]).dictionary_encode(),
    ]
    assert len({int(keys_within(keys, column, wide=False)[0, 0]) for column in columns}) == 1


def test_different_keys_of_one_value_stay_different() -> None:
    keys = np.arange(1000, dtype=np.uint64)[:, None]
    assert len(np.unique(keys_within(keys, pa.array(["x"] * 1000), wide=False))) == 1000


def test_the_definition_does_not_change() -> None:
    made = keys_within(np.array([[1, 2]], np.uint64), pa.array(["en"]), wide=True)
    assert [f"{int(word):016x}" for word in made[0]] == ["ff9e1aff9f6ab98e", "603852f4174e4ddd"]


def test_a_batch_without_documents() -> None:
    assert keys_within(np.zeros((0, 3), np.uint64), pa.array([], pa.string()), wide=False).shape == (0, 3)


@pytest.mark.parametrize(
    ("column", "count"),
    [
        (pa.array(["en", None, ""]), 1),
        (pa.array([1, 2.5, None]), 1),
        (pa.array(["en", None, "en"]).dictionary_encode(), 1),
        (pa.nulls(3), 3),
        (pa.array([b"en", b"de", b"en"]), 3),
        (pa.array([b"en", b"de", b"en"], pa.binary(2)), 3),
        (pa.array([[1], [2], None]), 3),
        (pa.array([{"a": 1}, {"a": 2}, {"a": 1}]), 3),
    ],
)
def test_what_is_told_apart_by_nothing_is_counted(column: pa.Array, count: int) -> None:
    assert count_without(column) == count
    keys = keys_within(np.full((3, 1), 7, np.uint64), column, wide=False)
    nothing = keys_within(np.full((1, 1), 7, np.uint64), pa.nulls(1), wide=False)
    assert np.count_nonzero(keys == nothing) == count
