"""Counting of equal values of signatures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gpucurate.ops.minhash import equal_values


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_equal_values_are_counted_by_pair(dtype):
    shapes = st.tuples(st.integers(1, 6), st.integers(0, 40))

    @settings(deadline=None)
    @given(arrays.arrays(dtype, shapes, elements=st.integers(0, 3)), st.data())
    def check(signatures, data):
        row = st.integers(0, len(signatures) - 1)
        pairs = data.draw(st.lists(st.tuples(row, row), max_size=8))
        left, right = (np.array([p[i] for p in pairs], np.uint32) for i in (0, 1))
        found = equal_values(signatures, left, right)
        assert found.dtype == np.uint32
        assert found.tolist() == [int((signatures[a] == signatures[b]).sum()) for a, b in pairs]

    check()


def test_rows_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="row 2 of 2 signatures"):
        equal_values(np.zeros((2, 4), np.uint32), np.array([0], np.uint32), np.array([2], np.uint32))
