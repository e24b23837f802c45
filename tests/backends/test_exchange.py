"""What goes from worker to worker comes out as it went in, without a copy, or not at all."""

from __future__ import annotations

import gc
import os
import pickle
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpucurate.backends.exchange import FolderExchange, Parcel
from gpucurate.io.piece import LinesOriginal, TableOriginal
from gpucurate.spec.errors import InputLostError, StorageError
from gpucurate.tasks import DocumentBatch, EmptyTask, FileGroupTask
from gpucurate.tasks.task import Task
from tests.backends.batches import lines_of, read


@pytest.fixture
def exchange(tmp_path):
    return FolderExchange(tmp_path / "parcels")


def sent(exchange, *tasks, name="u"):
    handle, nbytes = exchange.put(iter(tasks), name)
    assert nbytes == Path(handle.path).stat().st_size
    return list(exchange.get(pickle.loads(pickle.dumps(handle))))


def test_a_batch_keeps_its_place_its_records_and_what_was_changed(exchange):
    batch = read(["one", "two", "drei"], 5).assign({"n": pa.array([1, 2, 3])})
    batch._metadata["source"] = "web"
    (got,) = sent(exchange, batch)
    assert got.data.equals(batch.data)
    assert (got._origin, got._changed, got._metadata) == (batch._origin, {"n"}, {"source": "web"})
    assert got.records.tolist() == [5, 6, 7]
    assert [got._original.line(i) for i in range(3)] == [batch._original.line(i) for i in range(3)]


TABLES = {
    "no columns": pa.table({}),
    "no rows": pa.table({"a": pa.array([], pa.string())}),
    "nulls": pa.table({"a": [None, "x", None], "b": [1, None, 3]}),
    "lists": pa.table({"a": [[1, 2], [], None], "b": [{"x": 1}, None, {"x": 2}]}),
    "chunks": pa.concat_tables([pa.table({"a": ["x", "y"]}), pa.table({"a": ["z"]})]),
    "dictionary": pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode()}),
    "view": pa.table({"a": pa.array(["x", "y" * 40, None], pa.string_view())}),
    "slice": pa.table({"a": [str(i) for i in range(1000)], "b": [True, False] * 500}).slice(333, 21),
    "metadata": pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
}


@pytest.mark.parametrize("name", TABLES)
def test_arrow_tables_come_out_as_they_went_in(exchange, name):
    table = TABLES[name]
    (got,) = sent(exchange, DocumentBatch("set", table))
    assert got.data.equals(table)
    assert got.data.schema.equals(table.schema, check_metadata=True)
    got.data.validate(full=True)


def test_rows_without_columns_are_rows(exchange):
    from gpucurate.frame.table import empty_columns

    assert sent(exchange, DocumentBatch("set", empty_columns(7)))[0].num_items == 7


def test_frames_of_pandas_come_out_as_they_went_in_and_can_be_written_to(exchange):
    frame = pd.DataFrame({"text": ["a", None, "c" * 900], "n": np.arange(3.0), "o": [(1,), {2}, None]})
    (got,) = sent(exchange, DocumentBatch("set", frame))
    pd.testing.assert_frame_equal(got.data, frame)
    got.data.loc[0, "n"] = 7.0
    got.data["n"] += 1
    assert got.data["n"].tolist() == [8.0, 2.0, 3.0]


def test_numbers_that_come_out_may_be_written_to(exchange):
    batch = DocumentBatch("set", pa.table({"n": range(1000)}), records=np.arange(1000))
    handle, _ = exchange.put(iter([batch]), "u")
    (got,) = exchange.get(handle)
    got.records[:] = 0
    (again,) = exchange.get(handle)
    assert again.records.tolist() == list(range(1000))


@dataclass
class Own(Task[list[int]]):
    """A task of a user's."""

    extra: str = ""

    @property
    def num_items(self):
        return len(self.data)


def test_other_tasks_go_too(exchange):
    tasks = [EmptyTask(), FileGroupTask("set", ["a", "b"], "t"), Own("set", [1, 2], extra="x")]
    assert sent(exchange, *tasks) == tasks
    assert sent(exchange) == []


def test_a_slice_takes_the_room_of_its_rows(exchange):
    whole = read([f"document {i} " + "x" * 100 for i in range(10_000)])
    _, nbytes = exchange.put(iter([whole.rows(5000, 5010)]), "u")
    assert nbytes < 10_000
    few = np.zeros(10_000, bool)
    few[[3, 9000]] = True
    _, nbytes = exchange.put(iter([whole.select(few)]), "v")
    assert nbytes < 10_000
    (got,) = exchange.get(exchange.put(iter([whole.select(few)]), "w")[0])
    assert got._original.line(1) == whole._original.line(9000)


def test_columns_that_rows_and_records_share_are_there_once(exchange):
    table = pa.table({"text": ["x" * 1000] * 1000, "other": ["y" * 1000] * 1000})
    batch = DocumentBatch("set", table.select(["text"])).with_original(TableOriginal(table))
    _, nbytes = exchange.put(iter([batch]), "u")
    assert nbytes < 2_100_000
    (got,) = exchange.get(Parcel(str(exchange.folder / "u"), nbytes))
    assert got._original.table.equals(table)
    assert got.data.equals(table.select(["text"]))


def test_columns_are_views_of_the_file_and_stay_whole_when_it_is_removed(exchange):
    table = pa.table({"text": ["x" * 100_000] * 100})
    handle, _ = exchange.put(iter([DocumentBatch("set", table)]), "u")
    before = pa.total_allocated_bytes()
    (got,) = exchange.get(handle)
    assert pa.total_allocated_bytes() - before < 100_000
    exchange.drop(handle)
    assert os.listdir(exchange.folder) == []
    assert got.data.equals(table)
    exchange.drop(handle)


def test_tasks_are_written_as_they_come_and_loaded_as_they_are_asked_for(exchange):
    alive: list[weakref.ref] = []

    def made():
        for i in range(5):
            gc.collect()
            assert sum(ref() is not None for ref in alive) == 0
            box = [read([f"text {i}"] * 1000)]
            alive.append(weakref.ref(box[0]))
            yield box.pop()

    handle, _ = exchange.put(made(), "u")
    got = exchange.get(handle)
    first = weakref.ref(next(got))
    gc.collect()
    assert first() is None
    assert next(got).to_pyarrow()["text"][0].as_py() == "text 1"


def test_a_file_that_is_gone_is_told(exchange):
    handle, _ = exchange.put(iter([read(["a"])]), "u")
    exchange.drop(handle)
    with pytest.raises(InputLostError, match=r"cannot be opened: .*No such file"):
        next(exchange.get(handle))


def test_a_file_that_is_torn_at_any_byte_is_told(exchange):
    handle, size = exchange.put(iter([read(["a", "b"])]), "u")
    whole = Path(handle.path).read_bytes()
    for end in [0, 1, 30, *range(64, size, 97), size - 1]:
        Path(handle.path).write_bytes(whole[:end])
        with pytest.raises(InputLostError):
            next(exchange.get(handle))
    Path(handle.path).write_bytes(whole[:-8] + bytes(8))
    with pytest.raises(InputLostError, match="is torn"):
        next(exchange.get(handle))


def test_a_failure_half_way_leaves_nothing(exchange):
    def made():
        yield read(["a"])
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        exchange.put(made(), "u")
    assert os.listdir(exchange.folder) == []


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        FolderExchange(tmp_path / "file").put(iter([]), "u")


def test_lines_with_gaps_are_cut_out_or_copied():
    from gpucurate.io.jsonl.compact import compact

    lines = lines_of([str(i) * 10 for i in range(100)])
    for mask in (np.arange(100) > 50, np.arange(100) % 10 == 3, np.zeros(100, bool)):
        chosen = lines.select(mask)
        small = compact(chosen)
        assert [small.line(i) for i in range(len(small))] == [chosen.line(i) for i in range(len(chosen))]
        assert isinstance(small, LinesOriginal)
        assert len(small.data) <= 2 * chosen.nbytes
