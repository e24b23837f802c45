"""NumPy arrays as Arrow arrays and back, without what pyarrow imports for it."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.frame.arrays import array_of, valid_rows, values_of

BOOLS = st.lists(st.one_of(st.none(), st.booleans()), max_size=70)
NUMBERS = st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), max_size=70)


@given(BOOLS, st.integers(0, 20))
def test_bools_and_nulls_there_and_back_also_of_a_slice(values, start):
    array = pa.array(values, pa.bool_()).slice(start)
    valid = valid_rows(array)
    assert valid.tolist() == [value is not None for value in values[start:]]
    assert array_of(values_of(array), valid).to_pylist() == values[start:]


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.float64()])
@given(NUMBERS, st.integers(0, 20))
def test_numbers_and_nulls_there_and_back_also_of_a_slice(kind, values, start):
    array = pa.array(values, kind).slice(start)
    assert array_of(values_of(array), valid_rows(array)).equals(array)


@given(st.lists(BOOLS, max_size=4))
def test_chunks_are_one_array(chunks):
    chunked = pa.chunked_array(chunks, pa.bool_())
    valid = valid_rows(chunked)
    assert array_of(values_of(chunked), valid).to_pylist() == chunked.to_pylist()


def test_an_array_of_nulls_has_no_valid_rows():
    assert not valid_rows(pa.nulls(9)).any()


def test_validity_of_strings():
    assert valid_rows(pa.array(["a", None, ""])).tolist() == [True, False, True]


def test_pandas_is_not_imported():
    program = (
        "import sys, numpy as np, pyarrow as pa; from gpucurate.frame.arrays import *;"
        "mask = np.array([True, False]); array = array_of(mask, mask); values_of(array); valid_rows(array);"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert array_of(np.arange(3)).type == pa.int64()
