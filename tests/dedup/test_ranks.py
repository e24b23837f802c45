"""Ranks keep the order of what they stand for."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.policy import parse_policy
from gpucurate.dedup.ranks import column_ranks, length_ranks, ordered

NUMBERS = st.one_of(
    st.floats(allow_nan=False), st.integers(-(2**53), 2**53).map(float), st.sampled_from([0.0, -0.0, 5e-324])
)


@settings(deadline=None)
@given(a=NUMBERS, b=NUMBERS)
def test_ranks_are_ordered_as_numbers_are(a: float, b: float) -> None:
    first, second = ordered(np.array([a, b])).tolist()
    assert (first < second, first == second) == (a < b, a == b)
    assert min(first, second) > 1


@settings(deadline=None)
@given(numbers=st.lists(st.one_of(st.none(), NUMBERS), min_size=1, max_size=20))
def test_max_and_min_put_documents_without_a_value_last(numbers: list[float | None]) -> None:
    column = pa.array(numbers, pa.float64())
    present = [number for number in numbers if number is not None]
    for keep, best in (("max:x", max), ("min:x", min)):
        ranks, missing = column_ranks(column, parse_policy(keep))
        assert missing == len(numbers) - len(present)
        assert all(rank == 1 for rank, number in zip(ranks, numbers, strict=True) if number is None)
        if present:
            assert numbers[int(np.argmax(ranks))] == best(present)


def test_nan_has_no_value() -> None:
    ranks, missing = column_ranks(pa.array([math.nan, -math.inf, -math.nan]), parse_policy("max:x"))
    assert (ranks[0], ranks[2], missing) == (1, 1, 2)
    assert ranks[1] > 1


def test_a_preferred_value_is_matched_as_text() -> None:
    policy = parse_policy("prefer:year=2024,20*")
    ranks, missing = column_ranks(pa.array([2023.0, 2024.0, None, 1999.0]), policy)
    assert (ranks.tolist(), missing) == ([2, 3, 1, 1], 1)


def test_lengths_rank_and_no_document_stays_none() -> None:
    lengths = np.array([0, 1, 9], np.uint32)
    assert length_ranks(lengths, parse_policy("longest")).tolist() == [0, 1, 9]
    assert length_ranks(lengths, parse_policy("shortest")).tolist() == [0, 2**32 - 1, 2**32 - 9]
    assert length_ranks(lengths, parse_policy("first")).tolist() == [0, 1, 1]
