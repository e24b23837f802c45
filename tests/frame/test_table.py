from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpucurate.frame import table as frame

COLUMNS = {"text": ["a", None, "ccc", "é"], "n": [1, 2, 3, 4]}


@pytest.fixture(params=["arrow", "pandas"])
def table(request):
    arrow = pa.table(COLUMNS)
    return arrow if request.param == "arrow" else frame.to_pandas(arrow)


def rows(table) -> dict:
    return frame.to_arrow(table).to_pydict()


def test_a_table_goes_to_pandas_and_back(table):
    assert rows(frame.to_pandas(table)) == COLUMNS
    assert frame.to_arrow(frame.to_pandas(table)).schema.metadata is None


def test_strings_in_pandas_are_held_by_arrow(table):
    assert frame.to_pandas(table)["text"].dtype.storage == "pyarrow"


def test_verbs_agree_on_every_engine(table):
    mask = np.array([True, False, True, False])
    assert frame.is_table(table)
    assert frame.device_of(table) == "cpu"
    assert frame.num_rows(table) == 4
    assert frame.column_names(table) == ["text", "n"]
    assert frame.nbytes(table) > 0
    assert rows(frame.take_mask(table, mask)) == {"text": ["a", "ccc"], "n": [1, 3]}
    assert rows(frame.select_columns(table, ["n"])) == {"n": [1, 2, 3, 4]}
    assert frame.column_as_arrow(table, "n").to_pylist() == [1, 2, 3, 4]


def test_columns_are_added_and_replaced_on_a_copy(table):
    before = rows(table)
    changed = frame.with_columns(table, {"n": np.arange(4), "new": pd.Series(list("wxyz"))})
    assert rows(changed) == {"text": COLUMNS["text"], "n": [0, 1, 2, 3], "new": list("wxyz")}
    assert rows(table) == before


def test_rows_are_put_together_whatever_the_columns(table):
    other = pa.table({"n": [5]})
    assert rows(frame.concatenate([table, other]))["n"] == [1, 2, 3, 4, 5]
    assert rows(frame.concatenate([table, other]))["text"][-1] is None


def test_rows_without_columns_are_still_rows():
    table = frame.empty_columns(5)
    assert frame.num_rows(table) == 5
    assert frame.num_rows(frame.take_mask(table, np.array([1, 0, 1, 0, 0], bool))) == 2
    assert frame.num_rows(frame.unpack(frame.pack(table))) == 5


def test_a_packed_slice_is_as_large_as_its_rows():
    whole = pa.table({"text": ["x" * 100] * 10_000})
    packed = frame.pack(whole.slice(5, 10))
    assert len(packed) < 3000
    assert frame.unpack(packed).to_pydict() == whole.slice(5, 10).to_pydict()


@pytest.mark.parametrize(
    "mask",
    [[True, False], np.array([True, False]), pd.Series([True, False]), pa.array([True, False]),
     pa.chunked_array([[True], [False]]), pd.Series([True, False], dtype="boolean"),
     np.array([True, False], object)],
    ids=lambda mask: type(mask).__name__,
)  # fmt: skip
def test_masks_of_any_library_are_masks(mask):
    assert frame.as_mask(mask, 2).tolist() == [True, False]


@pytest.mark.parametrize(
    ("mask", "error"),
    [([0, 1], TypeError), (pa.array([True, None]), TypeError), (["a", ""], TypeError), ([True], ValueError),
     ([[True, False]], ValueError)],
)  # fmt: skip
def test_what_is_no_mask_is_refused(mask, error):
    with pytest.raises(error, match="mask"):
        frame.as_mask(mask, 2)


def test_no_rows_need_no_mask():
    assert frame.as_mask([], 0).dtype == bool
