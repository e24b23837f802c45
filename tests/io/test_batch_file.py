"""Batches that are written whole, and read again as they were."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.frame import table as frame
from gpucurate.io.batch_file import on_host, read_saved
from gpucurate.io.batch_saver import BatchSaver
from gpucurate.io.listing import list_input
from gpucurate.io.piece import LinesOriginal, TableOriginal
from gpucurate.io.ranges import group_ranges
from gpucurate.io.reader import read_range
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import StorageError
from gpucurate.tasks import DocumentBatch
from gpucurate.tasks.finished import sync_now
from gpucurate.tasks.origin import Origin


@pytest.fixture
def saved(tmp_path):
    """Writes batches, and reads them again."""

    def saved(*batches, **options):
        files = save(tmp_path, batches, **options)
        return list(read_saved(tuple(files)))

    return saved


def save(folder, batches, **options):
    saver = BatchSaver(lambda n: folder / f"{n}.arrow", **options)
    for batch in batches:
        saver.put(on_host(batch))
    return saver.close(sync_now, "{}.arrow".format)


def read(path, fields=("id",)):
    """What a reader makes of a file, in one batch."""
    ((source,),) = group_ranges(list_input([path]), 64 * MIB)
    (piece,) = read_range(source, fields=list(fields), keep_original=True)
    batch = DocumentBatch(
        "input", piece.table, "piece", _origin=Origin.of_range(source), records=piece.records
    )
    return batch.with_original(piece.original)


def same(one, other):
    """Whether two batches are one: columns, records, origin, what was changed, what lies behind."""
    assert one.to_pyarrow().equals(other.to_pyarrow())
    assert one.to_pyarrow().schema.equals(other.to_pyarrow().schema, check_metadata=True)
    assert (one.num_items, one._origin, one._changed) == (other.num_items, other._origin, other._changed)
    assert (one.task_id, one.dataset_name) == (other.task_id, other.dataset_name)
    assert one._metadata == other._metadata
    assert np.array_equal(one.records, other.records) if one.records is not None else other.records is None
    assert type(one._original) is type(other._original)
    if isinstance(one._original, LinesOriginal):
        assert lines(one) == lines(other)
    elif isinstance(one._original, TableOriginal):
        assert one._original.table.equals(other._original.table, check_metadata=True)
    return True


def lines(batch):
    return [batch._original.line(i) for i in range(len(batch._original))]


def test_original_lines_come_back_byte_for_byte(saved, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(
        b'{"id":  1, "x": "\\u00e9"}\r\n\n{"id": 2}\n{"id":\t3, "y": 1.50}\n{"id": 4}'
    )
    whole = read(tmp_path / "a.jsonl")
    some = whole.select(np.array([True, False, True, True])).assign({"n": [1, None, 3]})
    some._metadata["why"] = {"because": [1, "two"]}
    for given, found in zip([whole, some], saved(whole, some), strict=True):
        assert same(given, found)
    assert lines(saved(some)[0]) == [b'{"id":  1, "x": "\\u00e9"}', b'{"id":\t3, "y": 1.50}', b'{"id": 4}']


def test_rows_of_parquet_come_back_with_all_their_columns(saved, tmp_path):
    table = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int16()),
            "raw": [b"\xff", None, b""],
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "more": [{"x": [1, 2]}, None, {"x": []}],
        }
    ).replace_schema_metadata({"made": "by hand"})
    pq.write_table(table, tmp_path / "a.parquet")
    whole = read(tmp_path / "a.parquet", ["id", "kind"])
    some = whole.select(np.array([True, False, True])).assign({"id": ["one", "three"]})
    for given, found in zip([whole, some], saved(whole, some), strict=True):
        assert same(on_host(given), found)


def test_a_column_that_was_not_changed_is_written_once(tmp_path):
    rng = np.random.default_rng(0)
    column = pa.array(rng.bytes(64) for _ in range(1000))
    original = TableOriginal(pa.table({"raw": column}))
    (once,) = save(tmp_path, [DocumentBatch("", pa.table({"raw": column})).with_original(original)])
    changed = pa.table({"raw": column.take(np.arange(1000)[::-1])})
    (twice,) = save(tmp_path, [DocumentBatch("", changed).with_original(original)])
    assert twice.bytes > 1.8 * once.bytes


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": pa.array([], pa.string())}),
        frame.empty_columns(3),
        pa.table({"a": pa.chunked_array([["x"], ["y", None]]), "b": [[1], [], None]}),
        pd.DataFrame({"a": ["x", None], "b": [1.5, 2]}, index=[7, 7]),
    ],
    ids=["no rows", "no columns", "chunks", "pandas"],
)
def test_tables_of_all_shapes_come_back(saved, table):
    batch = DocumentBatch("", table)
    (found,) = saved(batch)
    assert same(on_host(batch), found)


def test_each_change_of_columns_begins_a_file_and_the_order_stays(tmp_path):
    tables = [pa.table({name: [n]}) for n, name in enumerate("aabba")]
    files = save(tmp_path, [DocumentBatch("", table) for table in tables])
    assert [file.rows for file in files] == [2, 2, 1]
    assert [batch.to_pyarrow() for batch in read_saved(tuple(files))] == tables


def test_any_reader_of_arrow_opens_the_file(tmp_path):
    (file,) = save(tmp_path, [DocumentBatch("", pa.table({"text": ["one", "two"]}))] * 2)
    table = pa.ipc.open_stream(pa.OSFile(file.attempt)).read_all()
    assert table["text"].to_pylist() == ["one", "two"] * 2


def test_what_waits_to_be_written_stays_below_the_limit(tmp_path):
    batch = DocumentBatch("", pa.table({"a": np.random.default_rng(0).integers(0, 2**60, 125_000)}))
    saver, most = BatchSaver(lambda n: tmp_path / str(n), limit=2 * batch.nbytes), 0
    for _ in range(30):
        saver.put(batch)
        most = max(most, saver.held)
    (file,) = saver.close(sync_now, str)
    assert batch.nbytes <= most <= 2 * batch.nbytes
    assert file.rows == 30 * 125_000
    assert saver.held == 0


def test_a_batch_larger_than_the_limit_goes_alone(tmp_path):
    batch = DocumentBatch("", pa.table({"a": list(range(1000))}))
    (file,) = save(tmp_path, [batch] * 3, limit=1)
    assert file.rows == 3000


def test_a_disk_that_cannot_be_written_to_is_told_where_batches_are_brought(tmp_path):
    saver = BatchSaver(lambda n: tmp_path / "nowhere" / str(n))
    saver.put(DocumentBatch("", pa.table({"a": [1]})))
    with pytest.raises(StorageError, match="nowhere"):
        saver.close(sync_now, str)


def test_what_is_given_up_leaves_no_file(tmp_path):
    saver = BatchSaver(lambda n: tmp_path / str(n))
    for name in "abc":
        saver.put(DocumentBatch("", pa.table({name: [1]})))
    saver.abandon()
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_json_has_not_is_refused(tmp_path):
    batch = DocumentBatch("", pa.table({"a": [1]}))
    batch._metadata["what"] = object()
    with pytest.raises(TypeError, match="not JSON serializable"):
        save(tmp_path, [batch])


def test_a_file_with_other_bytes_is_refused_by_name(tmp_path):
    (file,) = save(tmp_path, [DocumentBatch("", pa.table({"a": ["word " * 1000] * 1000}))])
    raw = bytearray((tmp_path / "0.arrow").read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 40] = bytes(40)
    (tmp_path / "0.arrow").write_bytes(raw)
    with pytest.raises(StorageError, match=r"0\.arrow of a checkpoint is damaged: .* Remove it"):
        list(read_saved((file,)))


def test_a_header_is_plain_json(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n')
    (file,) = save(tmp_path, [read(tmp_path / "a.jsonl")])
    stream = pa.ipc.open_stream(pa.OSFile(file.attempt))
    _, told = stream.read_next_batch_with_custom_metadata()
    assert json.loads(told[b"gpucurate"])["origin"]["name"] == "a.jsonl"
