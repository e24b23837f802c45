"""Written files: bytes, checksums, determinism and errors."""

import datetime
import gc
import gzip
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.io.piece import LinesOriginal
from gpucurate.io.sink import open_sink
from gpucurate.ops.document_hash import DocumentHasher
from gpucurate.spec.errors import ConfigurationError, StorageError
from tests.io.reading import read

DECODE = {
    "none": bytes,
    "gzip": gzip.decompress,
    "zstd": lambda packed: zstandard.ZstdDecompressor().decompressobj().decompress(packed),
}


def lines_of(content):
    data = np.frombuffer(content, np.uint8).copy()
    stops = np.flatnonzero(data == 10)
    return LinesOriginal(data, np.concatenate(([0], stops[:-1] + 1)), stops)


def checksum(content):
    hasher = DocumentHasher()
    hasher.update(content)
    return hasher.hexdigest()


@pytest.mark.parametrize("compression", DECODE)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 2000), min_size=1, max_size=60),
    seed=st.integers(0, 99),
    share=st.sampled_from([0, 0.1, 0.9, 1]),
)
def test_kept_lines_are_written_to_the_byte(tmp_path, compression, sizes, seed, share):
    content = b"".join(b"%d" % i + b"x" * size + b"\n" for i, size in enumerate(sizes))
    mask = np.random.default_rng(seed).random(len(sizes)) < share
    path = tmp_path / "a"
    with open_sink(path, "jsonl", compression) as sink:
        sink.write_lines(lines_of(content).select(mask))
        sink.write_lines(lines_of(content))
        written = sink.close()
    kept = b"".join(line + b"\n" for line, keep in zip(content.split(b"\n"), mask, strict=False) if keep)
    assert DECODE[compression](path.read_bytes()) == kept + content
    assert (written.rows, written.bytes) == (mask.sum() + len(sizes), path.stat().st_size)
    assert written.checksum == checksum(path.read_bytes())


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("line_bytes", [10, 100_000, 1_000_000])
def test_lines_of_a_file_come_out_as_they_went_in(tmp_path, end, line_bytes):
    lines = [b'{"text": "%d%s"}' % (i, b"z" * line_bytes) for i in range(20)]
    (tmp_path / "a.jsonl").write_bytes(end.join(lines))
    with open_sink(tmp_path / "out", "jsonl") as sink:
        for piece in read(tmp_path / "a.jsonl", piece_bytes=300_000).pieces:
            sink.write_lines(piece.original)
        sink.close()
    assert (tmp_path / "out").read_bytes() == b"\n".join(lines) + b"\n"


TABLE = pa.table(
    {
        "text": pa.array(["a", None, "é\n\u2028"], pa.large_string()),
        "n": [1, 2, None],
        "deep": [{"k": [1, 2]}, None, {"k": []}],
        "day": [datetime.date(2024, 2, 29), None, None],
        "at": [datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC), None, None],
        "exact": [Decimal("1.10"), None, None],
    }
)


def test_rows_are_written_as_objects_with_their_nulls(tmp_path):
    with open_sink(tmp_path / "a.jsonl", "jsonl") as sink:
        sink.write_table(TABLE)
        assert sink.close().rows == 3
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().split("\n")[:-1]]
    assert rows[0] == {
        "text": "a", "n": 1, "deep": {"k": [1, 2]}, "day": "2024-02-29",
        "at": "2024-02-29T12:30:00+00:00", "exact": "1.10",
    }  # fmt: skip
    assert rows[1] == dict.fromkeys(TABLE.column_names) | {"n": 2}
    assert rows[2]["text"] == "é\n\u2028"


@pytest.mark.parametrize(
    "column", [pa.array([b"a"]), pa.array([[b"a"]]), pa.array([{"k": b"a"}]),
    pa.array([b"a"]).dictionary_encode()],
    ids=["binary", "list", "struct", "dictionary"],
)  # fmt: skip
def test_binary_is_refused_as_json(tmp_path, column):
    with (
        open_sink(tmp_path / "a.jsonl", "jsonl") as sink,
        pytest.raises(ConfigurationError, match=r"'x' is .*binary"),
    ):
        sink.write_table(pa.table({"x": column}))


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_parquet_comes_back_as_it_was(tmp_path, compression):
    path = tmp_path / "a.parquet"
    with open_sink(path, "parquet", compression) as sink:
        sink.write_table(TABLE)
        sink.write_table(TABLE)
        written = sink.close()
    assert pq.read_table(path).equals(pa.concat_tables([TABLE, TABLE]))
    codec = pq.ParquetFile(path).metadata.row_group(0).column(0).compression
    assert codec == {"zstd": "ZSTD", "snappy": "SNAPPY", "none": "UNCOMPRESSED"}[compression]
    assert (written.rows, written.bytes, written.checksum) == (
        6,
        path.stat().st_size,
        checksum(path.read_bytes()),
    )


def test_parquet_row_groups_are_bounded(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"text": [f"{i:07}" + "y" * 1_000_000 for i in range(20)]})
    with open_sink(path, "parquet") as sink:
        for _ in range(8):
            sink.write_table(table)
        sink.close()
    metadata = pq.ParquetFile(path).metadata
    assert metadata.num_row_groups > 1
    assert metadata.num_rows == 160


def test_an_empty_parquet_file_is_still_parquet(tmp_path):
    with open_sink(tmp_path / "a.parquet", "parquet") as sink:
        assert sink.close().rows == 0
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 0
    with open_sink(tmp_path / "b.parquet", "parquet") as sink:
        sink.write_table(TABLE.slice(0, 0))
        sink.close()
    assert pq.read_table(tmp_path / "b.parquet").column_names == TABLE.column_names


def test_columns_of_nulls_fit_what_comes_later_in_a_row_group(tmp_path):
    with open_sink(tmp_path / "a.parquet", "parquet") as sink:
        sink.write_table(pa.table({"x": pa.nulls(2)}))
        sink.write_table(pa.table({"x": ["a"], "y": [1]}))
        sink.close()
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"x": None, "y": None}] * 2 + [
        {"x": "a", "y": 1}
    ]


def test_a_column_that_changes_its_type_is_refused_with_a_sentence(tmp_path):
    with open_sink(tmp_path / "a.parquet", "parquet") as sink:
        sink.write_table(pa.table({"x": [1]}))
        sink.write_table(pa.table({"x": [{"a": 1}]}))
        with pytest.raises(ConfigurationError, match="columns change their type"):
            sink.close()


@pytest.mark.parametrize(
    "format, compression", [("jsonl", "none"), ("jsonl", "gzip"), ("jsonl", "zstd"), ("parquet", "zstd")]
)
def test_the_same_records_give_the_same_bytes(tmp_path, format, compression):
    checksums = set()
    for name in ("a", "b"):
        with open_sink(tmp_path / name, format, compression) as sink:
            sink.write_table(TABLE)
            checksums.add(sink.close().checksum)
    assert len(checksums) == 1


@pytest.mark.parametrize("format, compression", [("jsonl", "none"), ("jsonl", "gzip"), ("parquet", "none")])
def test_a_full_disk_is_a_storage_error_that_names_the_file(format, compression):
    from pathlib import Path

    text = pa.array(np.random.default_rng(0).bytes(3_000_000).hex() for _ in range(2))
    full = "cannot write /dev/full: No space left on device"
    with pytest.raises(StorageError, match=full), open_sink(Path("/dev/full"), format, compression) as sink:
        sink.write_table(pa.table({"text": text}))
        sink.close()


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="No such file or directory"):
        open_sink(tmp_path / "nowhere/a.jsonl", "jsonl")


@pytest.mark.parametrize("format, compression", [("jsonl", "snappy"), ("parquet", "gzip"), ("csv", "none")])
def test_combinations_that_there_are_not_are_refused(tmp_path, format, compression):
    with pytest.raises(ConfigurationError, match="is not written"):
        open_sink(tmp_path / "a", format, compression)


def test_json_lines_are_not_written_as_parquet(tmp_path):
    with (
        open_sink(tmp_path / "a", "parquet") as sink,
        pytest.raises(ConfigurationError, match="without being parsed"),
    ):
        sink.write_lines(lines_of(b"{}\n"))


def test_objects_without_a_key_are_json_text_in_parquet(tmp_path):
    table = pa.table({"x": pa.array([{}, None]), "y": pa.array([[{}], []]), "z": pa.array([{"a": 1}, None])})
    with open_sink(tmp_path / "a.parquet", "parquet") as sink:
        sink.write_table(table)
        sink.close()
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert rows == [{"x": "{}", "y": "[{}]", "z": {"a": 1}}, {"x": None, "y": "[]", "z": None}]


def test_a_table_without_columns_does_not_decide_those_of_the_file(tmp_path):
    with open_sink(tmp_path / "a.parquet", "parquet") as sink:
        sink.write_table(pa.table({}))
        sink.write_table(pa.table({"x": [1]}))
        sink.close()
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"x": 1}]


def test_a_parquet_file_that_is_given_up_says_nothing_more(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("gpucurate.io.parquet.sink._GROUP_BYTES", 1)
    sink = open_sink(tmp_path / "a.parquet", "parquet")
    for i in range(3):
        sink.write_table(pa.table({"x": [i]}))
    sink.abandon()
    del sink
    gc.collect()
    assert capsys.readouterr().err == ""
