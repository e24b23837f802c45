from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.frame.arrays import array_of, valid_rows, values_of

KINDS = ["bool", "int64", "int32", "uint8", "uint32", "float64"]


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=30), st.sampled_from(KINDS))
def test_arrays_are_those_that_pyarrow_makes(given_rows, kind):
    values = np.array([value for value, _ in given_rows], kind)
    valid = np.array([is_valid for _, is_valid in given_rows], bool)
    assert array_of(values).equals(pa.array(values))
    assert array_of(values, valid).equals(pa.array(values, mask=~valid))
    array_of(values, valid).validate(full=True)


@given(
    st.lists(st.lists(st.none() | st.integers(0, 1), max_size=20), max_size=3),
    st.integers(0, 25),
    st.sampled_from([pa.bool_(), pa.int64(), pa.int16(), pa.float32()]),
)
def test_values_and_nulls_are_those_of_slices_and_chunks(chunks, start, kind):
    column = pa.chunked_array([pa.array(chunk, pa.int64()).cast(kind) for chunk in chunks], kind)
    for array in (column.slice(start), *(chunk.slice(start // 2) for chunk in column.chunks)):
        expected = array.to_pylist()
        valid = valid_rows(array)
        assert valid.tolist() == [value is not None for value in expected]
        assert values_of(array)[valid].tolist() == [value for value in expected if value is not None]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_binary(), pa.list_(pa.int8()), pa.null()])
def test_nulls_of_any_type_are_found(kind):
    array = pa.nulls(9, kind)
    assert not valid_rows(array).any()
    assert valid_rows(pa.array([[], None], pa.list_(pa.int8()))).tolist() == [True, False]


def test_none_of_it_loads_pandas():
    code = """
import sys, numpy as np, pyarrow as pa
from gpucurate.frame.arrays import array_of, valid_rows, values_of
from gpucurate.frame.table import take_mask
bools = array_of(np.array([True, False]), np.array([True, False]))
valid_rows(bools), values_of(bools), take_mask(pa.table([bools], names=["a"]), np.array([True, True]))
sys.exit("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
