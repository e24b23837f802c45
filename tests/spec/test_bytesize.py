from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.spec.bytesize import format_bytes, parse_bytes
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("64MiB", 2**26),
        ("1.5 GB", 1_500_000_000),
        ("1000", 1000),
        (1000, 1000),
        ("2k", 2000),
        (" 1 TiB ", 2**40),
    ],
)
def test_sizes_are_read_as_people_write_them(written, count):
    assert parse_bytes(written) == count


@pytest.mark.parametrize("written", ["", "many", "12 parsec", "-5", "1e9", "0", 0, -1, "0.5 B", True, None])
def test_what_is_not_a_size_is_refused(written):
    with pytest.raises(ConfigurationError):
        parse_bytes(written)


@given(st.integers(1, 10**15))
def test_a_formatted_size_says_the_count_within_a_percent(count):
    assert parse_bytes(format_bytes(count)) == pytest.approx(count, rel=0.01)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (999_600, "1.00 MB"), (1_234_567, "1.23 MB")]
)
def test_sizes_have_three_digits(count, text):
    assert format_bytes(count) == text
