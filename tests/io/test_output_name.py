"""What outputs are called, and that no two inputs share one."""

import pytest

from gpucurate.io.output_name import check_output_names, output_name
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileRange, InputFile


@pytest.mark.parametrize(
    "name, ordinal, count, format, compression, expected",
    [
        ("en/pages.jsonl", 0, 1, "jsonl", "none", "en/pages.jsonl"),
        ("en/pages.jsonl", 3, 8, "jsonl", "zstd", "en/pages.00003.jsonl.zst"),
        ("a.jsonl.gzip", 0, 1, "jsonl", "gzip", "a.jsonl.gzip"),
        ("a.jsonl.gz", 0, 1, "jsonl", "none", "a.jsonl"),
        ("a.JSONL", 0, 1, "jsonl", "none", "a.JSONL"),
        ("a.json.gz", 0, 1, "parquet", "zstd", "a.parquet"),
        ("a.pq", 1, 2, "parquet", "snappy", "a.00001.pq"),
        ("v1.2/a.b.parquet", 0, 1, "jsonl", "gzip", "v1.2/a.b.jsonl.gz"),
    ],
)
def test_suffixes_say_what_the_file_holds(name, ordinal, count, format, compression, expected):
    assert output_name(name, ordinal, count, format, compression) == expected


def whole(name, format="jsonl", compression="none"):
    return FileRange(InputFile(f"/in/{name}", name, 1, 0, None, format, compression), 0, 1)


A = whole("a.jsonl")
PACKED = whole("a.jsonl.gz", compression="gzip")
PARQUET = whole("a.parquet", "parquet")


@pytest.mark.parametrize(
    "ranges, format, compression",
    [
        ([A, PACKED], None, "none"),
        ([A, PARQUET], "jsonl", None),
        ([PACKED, PARQUET], "parquet", "zstd"),
        ([FileRange(A.file, 0, 1, 1, 2), whole("a.00001.jsonl")], None, None),
    ],
)
def test_two_files_that_would_become_one_are_refused(ranges, format, compression):
    with pytest.raises(ConfigurationError, match="would both be written to a"):
        check_output_names(ranges, format, compression)


def test_a_name_that_no_file_system_takes_is_refused_before_work_starts():
    long = whole("x" * 249 + ".jsonl")
    check_output_names([long], None, None)
    with pytest.raises(ConfigurationError, match="more than 255 bytes"):
        check_output_names([FileRange(long.file, 0, 1, 0, 2)], None, None)


def test_files_that_stay_apart_are_let_through():
    check_output_names([A, PACKED, PARQUET, FileRange(A.file, 1, 2, 1, 2)], None, None)
    check_output_names([FileRange(A.file, i, i + 1, i, 3) for i in range(3)], "parquet", None)
