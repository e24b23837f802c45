"""Parquet: every kind of text column, and files that are broken."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.io.ranges import split_file
from gpucurate.io.schema import schema_names
from gpucurate.spec.errors import InputError
from tests.io.reading import ReadLimits, read, the_file

TEXTS = [f"text é {i}" for i in range(100)]


def write(path, table, **options):
    pq.write_table(table, path, **{"row_group_size": 10, **options})
    return path


KINDS = {
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "dictionary of large": pa.dictionary(pa.int8(), pa.large_string()),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("unit", [100, 1 << 30])
def test_every_kind_of_text_is_read_as_strings(tmp_path, kind, unit):
    column = pa.array(TEXTS).cast(pa.string() if "dict" in str(kind) else kind)
    if pa.types.is_dictionary(kind):
        column = column.dictionary_encode().cast(kind)
    path = write(tmp_path / "a.parquet", pa.table({"id": range(100), "text": column}))
    outcome = read(path, unit, fields=("text", "id"))
    assert outcome.texts == TEXTS
    assert [row["id"] for row in outcome.rows] == list(range(100))
    assert outcome.records == list(range(100))
    assert all(p.table["text"].type in (pa.string(), pa.large_string()) for p in outcome.pieces)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none", "gzip", "brotli", "lz4"])
def test_the_usual_compressions_are_read(tmp_path, compression):
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}), compression=compression)
    assert read(path).texts == TEXTS


def test_null_text_and_bytes_that_are_no_utf8_are_rejects(tmp_path):
    column = pa.array([b"a", None, b"\xff\xfe", "é".encode(), b"a\xc3"], pa.binary())
    outcome = read(write(tmp_path / "a.parquet", pa.table({"text": column})))
    assert outcome.texts == ["a", "é"]
    assert outcome.records == [0, 3]
    assert outcome.reasons == [("null_text", 1), ("invalid_utf8", 2), ("invalid_utf8", 4)]
    assert [r[4] for r in outcome.rejects] == [b"", b"\xff\xfe", b"a\xc3"]


def test_a_string_column_is_not_trusted_to_be_utf8(tmp_path):
    data = pa.array([b"good", b"\xff"], pa.binary()).view(pa.string())
    outcome = read(write(tmp_path / "a.parquet", pa.table({"text": data})))
    assert (outcome.texts, outcome.reasons) == (["good"], [("invalid_utf8", 1)])


@pytest.mark.parametrize(
    "column",
    [[["a"], ["b"]], [1, 2], [1.5, None], [{"a": 1}, {"a": 2}]],
    ids=["list", "int", "float", "struct"],
)
def test_a_text_field_of_another_type_rejects_every_row(tmp_path, column):
    outcome = read(write(tmp_path / "a.parquet", pa.table({"text": column})))
    assert outcome.reasons == [("wrong_type", 0), ("wrong_type", 1)]


def test_a_text_field_that_the_file_does_not_have_rejects_every_row(tmp_path):
    outcome = read(write(tmp_path / "a.parquet", pa.table({"x": [1, 2]})))
    assert outcome.reasons == [("missing_text", 0), ("missing_text", 1)]


def test_a_field_that_the_file_does_not_have_is_null(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"text": ["a"]}))
    assert read(path, fields=("text", "nowhere")).rows == [{"text": "a", "nowhere": None}]


def test_all_columns_are_the_original_of_the_accepted_rows(tmp_path):
    table = pa.table({"text": ["a", None, "c"], "n": [1, 2, 3], "deep": [[{"k": 1}], [], None]})
    (piece,) = read(write(tmp_path / "a.parquet", table)).pieces
    assert piece.original.table.equals(table.take([0, 2]))
    assert piece.table.column_names == ["text"]
    assert piece.original.select(np.array([False, True])).table.to_pylist() == [
        {"text": "c", "n": 3, "deep": None}
    ]


def test_without_fields_rows_are_counted(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"text": ["a", None], "n": [1, 2]}))
    for keep_original in (False, True):
        (piece,) = read(path, fields=(), text_fields=(), keep_original=keep_original).pieces
        assert (piece.num_rows, piece.table.num_columns, piece.rejects) == (2, 0, [])
    assert piece.original.table.num_rows == 2


def test_a_column_without_a_name_is_read_like_any_other(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"text": ["a"], "": [1]}))
    assert read(path, fields=None).rows == [{"text": "a", "": 1}]


@pytest.mark.parametrize(
    "kind, value",
    [
        (pa.string_view(), "x" * 20),
        (pa.binary_view(), b"x" * 20),
        (pa.list_(pa.string_view()), ["x" * 20, None]),
    ],
    ids=str,
)
def test_columns_of_views_can_be_filtered_and_written(tmp_path, kind, value):
    table = pa.table({"text": ["a", "b"], "view": pa.array([value, None], kind)})
    piece = read(write(tmp_path / "a.parquet", table)).pieces[0]
    assert piece.original.select(np.array([True, False])).table["view"].to_pylist() == [value]


EMPTY = {
    "no row groups": lambda path: pq.ParquetWriter(path, pa.schema({"text": pa.string()})).close(),
    "no rows": lambda path: pq.write_table(pa.table({"text": pa.array([], pa.string())}), path),
    "no columns": lambda path: pq.write_table(pa.table({}), path),
}


@pytest.mark.parametrize("make", EMPTY.values(), ids=EMPTY)
def test_a_file_without_rows_has_no_records_and_no_rejects(tmp_path, make):
    make(tmp_path / "a.parquet")
    outcome = read(tmp_path / "a.parquet")
    assert (outcome.num_records, outcome.rejects) == (0, [])


def whole_file(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"id": range(100), "text": TEXTS}))
    return path, path.read_bytes()


BROKEN = {
    "truncated": lambda content: content[: len(content) // 2],
    "without its magic": lambda content: content[:-4],
    "magic only": lambda content: b"PAR1",
    "two magics": lambda content: b"PAR1PAR1",
    "a huge footer": lambda content: content[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1",
    "a garbled footer": lambda content: content[:-200] + bytes(192) + content[-8:],
    "encrypted": lambda content: b"PARE" + content[4:-4] + b"PARE",
    "empty": lambda content: b"",
    "text": lambda content: b'{"text": "a"}\n' * 100,
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_file_without_a_footer_is_one_reject(tmp_path, damage):
    path, content = whole_file(tmp_path)
    path.write_bytes(damage(content))
    outcome = read(path, 100)
    assert outcome.reasons == [("bad_parquet", None)]
    assert outcome.num_records == 0
    assert schema_names(the_file(path)) is None
    with pytest.raises(InputError, match=r"a\.parquet is broken"):
        read(path, limits=ReadLimits(on_corrupt="fail"))


def test_the_rows_of_a_broken_row_group_are_rejects_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.parquet"
    texts = [os.urandom(300).hex() for _ in range(100)]
    write(path, pa.table({"text": texts}), write_page_checksum=True, use_dictionary=False)
    chunk = pq.ParquetFile(path).metadata.row_group(3).column(0)
    content = bytearray(path.read_bytes())
    content[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 0xFF
    path.write_bytes(content)
    outcome = read(path)
    assert outcome.reasons == [("bad_parquet", i) for i in range(30, 40)]
    assert "row group 3 cannot be read" in outcome.rejects[0][3]
    assert outcome.texts == texts[:30] + texts[40:]
    assert outcome.pieces[-1].records[-1] == 99


def test_an_unknown_codec_is_named(tmp_path):
    path, _ = whole_file(tmp_path)
    pq.write_table(pa.table({"text": TEXTS}), path, compression="snappy", row_group_size=10)
    content = path.read_bytes()
    # Thrift compact: field 4 of ColumnMetaData (codec, an i32) after its path; SNAPPY is 1, LZO is 3.
    patched = content.replace(b"\x18\x04text\x15\x02", b"\x18\x04text\x15\x06")
    assert patched != content
    path.write_bytes(patched)
    outcome = read(path, 100)
    assert outcome.reasons == [("bad_parquet", None)]
    assert "LZO" in outcome.rejects[0][3]


def test_ranges_are_consecutive_row_groups(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}))
    metadata = pq.ParquetFile(path).metadata
    size = max(metadata.row_group(i).total_byte_size for i in range(10))
    ranges = split_file(the_file(path), size * 3)
    assert [r.start for r in ranges][1:] == [r.stop for r in ranges][:-1]
    assert (ranges[0].start, ranges[-1].stop) == (0, 10)
    assert len(ranges) == 4
    assert {r.count for r in ranges} == {4}


def test_pieces_are_slices_of_about_the_bytes_asked_for(tmp_path):
    table = pa.table({"text": ["z" * 1000] * 5000})
    path = write(tmp_path / "a.parquet", table, row_group_size=5000)
    outcome = read(path, piece_bytes=100_000, keep_original=False)
    assert len(outcome.rows) == 5000
    assert max(p.table.nbytes for p in outcome.pieces) <= 120_000
    assert len(outcome.pieces) < 100


def test_the_column_names_come_from_the_footer(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"b": [1], "text": ["x"], "a.b c": [None]}))
    assert schema_names(the_file(path)) == ["b", "text", "a.b c"]
    assert read(path, fields=None).rows == [{"b": 1, "text": "x", "a.b c": None}]
