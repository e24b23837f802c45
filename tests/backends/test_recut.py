"""Batches are cut and joined by bytes; their rows stay what and where they are."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.backends.recut import cut, join, recut
from gpucurate.frame import table as frame
from gpucurate.frame.row_bytes import row_bytes
from gpucurate.io.piece import TableOriginal
from gpucurate.tasks import DocumentBatch, EmptyTask
from tests.backends.batches import read, texts_of


def sizes(tasks):
    return [task.num_items for task in tasks]


def test_a_batch_above_the_cap_is_cut_into_even_parts():
    batch = read([f"{i:04d}" * 25 for i in range(100)])
    parts = list(cut(iter([batch]), batch.nbytes // 3 - 1))
    assert sizes(parts) == [25, 25, 25, 25]
    assert texts_of(parts) == texts_of([batch])
    assert np.concatenate([part.records for part in parts]).tolist() == list(range(100))
    assert [part._original.line(0) for part in parts] == [batch._original.line(i) for i in (0, 25, 50, 75)]
    assert all(part._origin == batch._origin for part in parts)


def test_parts_are_even_in_bytes_and_not_in_rows():
    batch = read(["x" * 10] * 90 + ["y" * 1000] * 10)
    parts = list(cut(iter([batch]), batch.nbytes // 2))
    assert max(part.nbytes for part in parts) <= batch.nbytes // 2
    assert sizes(parts)[0] > 90 > 3 * sum(sizes(parts)[1:])


def test_a_document_larger_than_the_cap_goes_alone():
    batch = read(["a", "b" * 10_000, "c", "d"])
    assert sizes(cut(iter([batch]), 1000)) == [1, 1, 2]


def test_what_fits_and_what_has_no_rows_is_left_alone():
    tasks = [read(["a"]), EmptyTask(), read([])]
    assert [id(task) for task in cut(iter(tasks), 1)] == [id(task) for task in tasks]
    assert [id(task) for task in recut(iter(tasks), None, None)] == [id(task) for task in tasks]


def test_neighbours_of_one_range_are_joined_up_to_the_limit():
    tasks = [read([str(i) * 50] * 10, 10 * i) for i in range(8)]
    joined = list(join(iter(tasks), 3 * tasks[0].nbytes))
    assert sizes(joined) == [30, 30, 20]
    assert texts_of(joined) == texts_of(tasks)
    assert joined[1].records.tolist() == list(range(30, 60))
    assert [joined[1]._original.line(i) for i in (0, 29)] == [
        tasks[3]._original.line(0),
        tasks[5]._original.line(9),
    ]


def changed(batch):
    return batch.assign({"text": batch.data["text"]})


def noted(batch):
    batch._metadata["lang"] = "en"
    return batch


STRANGERS = {
    "another range": lambda: read(["b"], ordinal=1),
    "another column": lambda: read(["b"]).assign({"n": pa.array([1])}),
    "another type": lambda: DocumentBatch("set", pa.table({"text": [b"b"]}), _origin=read(["b"])._origin),
    "no records": lambda: DocumentBatch("set", read(["b"]).data, _origin=read(["b"])._origin),
    "no original": lambda: read(["b"]).with_original(None),
    "a changed column": lambda: changed(read(["b"])),
    "other metadata": lambda: noted(read(["b"])),
    "another data set": lambda: DocumentBatch("other", read(["b"]).data, _origin=read(["b"])._origin),
    "pandas": lambda: DocumentBatch("set", read(["b"]).to_pandas(), _origin=read(["b"])._origin),
    "no batch": EmptyTask,
}


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_are_not_joined(name):
    assert len(list(join(iter([read(["a"]), STRANGERS[name](), read(["c"])]), 10**6))) == 3


def test_batches_made_in_memory_are_not_joined():
    made = [DocumentBatch("set", pa.table({"text": ["a"]})) for _ in range(2)]
    assert len(list(join(iter(made), 10**6))) == 2


def test_batches_of_parquet_and_of_pandas_are_joined_too():
    def parquet(first):
        batch = read([str(first)] * 3, first)
        return batch.with_original(TableOriginal(batch.data.append_column("n", pa.array([first] * 3))))

    (joined,) = join(iter([parquet(0), parquet(3)]), 10**6)
    assert joined._original.table["n"].to_pylist() == [0] * 3 + [3] * 3
    origin = read(["a"])._origin
    frames = [DocumentBatch("set", pd.DataFrame({"text": [t]}), _origin=origin) for t in "ab"]
    (joined,) = join(iter(frames), 10**6)
    assert joined.data.index.tolist() == [0, 1]
    assert texts_of([joined]) == ["a", "b"]


def test_what_was_handed_on_is_not_held():
    alive = []

    def made():
        for i in range(6):
            gc.collect()
            assert sum(ref() is not None for ref in alive) <= 1  # the one that waits for its neighbours
            box = [read(["x" * 100] * 100, 100 * i)]
            alive.append(weakref.ref(box[0]))
            yield box.pop()

    assert sum(map(DocumentBatch.num_items.fget, recut(made(), 1, None))) == 600


def test_bytes_of_rows_add_up_to_those_of_the_table():
    tables = [
        pa.table({"a": ["x", "yy" * 500, None], "n": [1, 2, 3]}),
        pa.table({"a": [[1] * 100, [], None], "b": [b"x", b"y" * 100, b""]}),
        pa.table({"a": pa.array(["x" * 100] * 10).dictionary_encode()}),
        pa.table({"a": [str(i) * i for i in range(100)]}).slice(40, 20),
        pd.DataFrame({"a": ["x", "y" * 100], "n": [1.0, 2.0]}),
        pa.table({}),
    ]
    for table in tables:
        found = row_bytes(table)
        rows = table.num_rows if isinstance(table, pa.Table) else len(table)
        assert len(found) == rows
        assert rows == 0 or abs(found.sum() - frame.nbytes(table)) <= 1
    assert np.argmax(row_bytes(tables[0])) == 1
    assert np.argmax(row_bytes(tables[1])) == 0


@given(
    st.lists(st.lists(st.integers(0, 400), max_size=12), min_size=1, max_size=8),
    st.integers(1, 3000) | st.none(),
    st.integers(1, 3000) | st.none(),
)
def test_rows_stay_what_and_where_they_are(lengths, batch_bytes, cap):
    tasks, first = [], 0
    for rows in lengths:
        tasks.append(read([f"{first + i}-" + "x" * n for i, n in enumerate(rows)], first))
        first += len(rows)
    got = list(recut(iter(tasks), batch_bytes, cap))
    assert texts_of(got) == texts_of(tasks)
    assert np.concatenate([task.records for task in got]).tolist() == list(range(first))
    lines = [task._original.line(i) for task in got for i in range(task.num_items)]
    assert lines == [task._original.line(i) for task in tasks for i in range(task.num_items)]
    limits = [limit for limit in (batch_bytes, cap) if limit is not None]
    assert not limits or all(task.num_items <= 1 or task.nbytes <= min(limits) + 16 for task in got)
