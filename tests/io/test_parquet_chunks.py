"""What a footer says of the chunks of columns, beside what pyarrow says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.io.listing import list_input
from gpucurate.io.parquet.chunks import Chunk, read_chunks
from gpucurate.io.parquet.thrift import STRUCT, read_struct, skip
from gpucurate.io.source import open_source

COLUMNS = {
    "text": ["a", None, "c"] * 50,
    "a.b": list(range(150)),
    "tags": [["x"], [], None] * 50,
    "meta": [{"deep": {"er": i}, "s": "t"} for i in range(150)],
    "kind": pa.array(["x", "y", "z"] * 50).dictionary_encode(),
    "flag": [True, False, None] * 50,
}


def chunks(path: Path) -> Any:
    with open_source(list_input([path]).files[0]) as source:
        return read_chunks(source)


def as_pyarrow_says(column: pq.ColumnChunkMetaData, name: str) -> Chunk:
    return Chunk(
        name,
        column.path_in_schema,
        column.compression,
        column.total_compressed_size,
        column.total_uncompressed_size,
        column.data_page_offset,
        column.dictionary_page_offset or 0,
    )


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "lz4", "zstd"])
@pytest.mark.parametrize("rows", [7, 1000])
def test_chunks_are_those_that_pyarrow_finds(tmp_path: Path, rows: int, compression: str) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table(COLUMNS), path, row_group_size=rows, compression=compression, use_dictionary=["text"]
    )
    metadata, found = pq.read_metadata(path), chunks(path)
    assert len(found) == metadata.num_row_groups
    for at, group in enumerate(found):
        theirs = [metadata.row_group(at).column(i) for i in range(metadata.num_columns)]
        assert list(group) == [as_pyarrow_says(c, ours.column) for c, ours in zip(theirs, group, strict=True)]
        assert [*dict.fromkeys(chunk.column for chunk in group)] == list(COLUMNS)


def test_a_footer_of_more_than_what_is_read_at_first_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({f"column {i}": [i] for i in range(2000)}), path)
    assert [chunk.path for chunk in chunks(path)[0]] == [f"column {i}" for i in range(2000)]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", IndexError),
        (b"\x19\xfc\xff\xff\xff\x7f\x00", ValueError),  # a list of 2^28 structs in two bytes
        (b"\x15" + b"\xff" * 12 + b"\x00\x00", ValueError),  # a number of more than 64 bits
        (b"\x1f\x00", ValueError),  # a type that there is not
        (b"\x1c" * 100_000, RecursionError),
    ],
)
def test_what_makes_no_sense_ends_without_anything_allocated(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_struct(data, 0, {1: None, 2: [{1: None}]})


def test_fields_that_are_not_wanted_are_passed_over() -> None:
    binary, number, far = b"\x18\x02ab", b"\x15\x09", b"\x08\x82\x01\x03xyz"  # the last one is field 65
    lists = b"\x19\x32\x01\x02\x01" + b"\x19\x28\x01a\x01b"
    data = binary + number + b"\x17" + bytes(8) + lists + far + b"\x00"
    assert skip(data, 0, STRUCT) == len(data)
    assert read_struct(data, 0, {2: None, 5: [None], 65: None}) == (
        {2: -5, 5: [b"a", b"b"], 65: b"xyz"},
        len(data),
    )
