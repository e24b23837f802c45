from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpucurate.io.piece import LinesOriginal
from gpucurate.tasks import DocumentBatch
from gpucurate.tasks.content import content_digest


def lines(*texts: str) -> LinesOriginal:
    raw = [f'{{ "text": "{text}", "x": 1 }}'.encode() for text in texts]
    stops = np.cumsum([len(line) + 1 for line in raw])
    starts = np.concatenate(([0], stops[:-1]))
    return LinesOriginal(np.frombuffer(b"\n".join(raw) + b"\n", np.uint8), starts, stops - 1)


@pytest.fixture
def batch() -> DocumentBatch:
    table = pa.table({"text": ["a", "b", "c"]})
    return DocumentBatch("set", table, records=np.array([0, 2, 3])).with_original(lines("a", "b", "c"))


def test_a_selection_keeps_rows_records_and_originals_together(batch):
    chosen = batch.select([True, False, True])
    assert chosen.to_pyarrow().to_pydict() == {"text": ["a", "c"]}
    assert chosen.records.tolist() == [0, 3]
    assert [chosen._original.line(i) for i in range(2)] == [batch._original.line(0), batch._original.line(2)]
    assert batch.num_items == 3


def test_assigned_columns_are_remembered_through_selections(batch):
    changed = batch.assign({"n": [1, 2, 3]}).select([True, True, False])
    assert changed._changed == {"n"}
    assert len(changed._original) == 2
    assert "n" not in batch.get_columns()


def test_a_batch_that_is_given_another_table_has_no_originals(batch):
    batch.data = pd.DataFrame({"text": ["z"]})
    assert batch._original is None
    assert batch.records is None


def test_a_batch_made_from_another_one_has_no_originals(batch):
    with pytest.raises(ValueError, match="3 records"):
        replace(batch, data=pa.table({"text": ["z"]}))
    assert replace(batch, data=pa.table({"text": ["x", "y", "z"]}))._original is None


def test_a_copy_is_the_same_batch(batch):
    twin = copy.copy(batch.assign({"n": [1, 2, 3]}))
    assert twin._original is batch._original
    assert twin._changed == {"n"}
    twin.data = pa.table({})
    assert batch.num_items == 3


def test_originals_of_other_rows_are_refused(batch):
    with pytest.raises(ValueError, match="1 original records for 3 rows"):
        batch.with_original(lines("a"))


def test_a_pickled_slice_is_as_small_as_its_rows():
    table = pa.table({"text": ["x" * 1000] * 1000})
    packed = pickle.dumps(DocumentBatch("set", table.slice(7, 1)))
    assert len(packed) < 5000
    assert pickle.loads(packed).to_pyarrow().to_pydict() == {"text": ["x" * 1000]}


def test_text_of_a_column_that_is_not_there_is_told(batch):
    with pytest.raises(KeyError, match="no column 'body'"):
        batch.text("body")
    assert batch.text("text").document(1) == b"b"


def test_content_is_told_by_the_rows_and_not_by_how_they_are_held():
    table = pa.table({"text": ["a", "b", "c"]})
    pieces = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    digests = {content_digest(DocumentBatch("set", data)) for data in (table, pieces, table.slice(0))}
    assert len(digests) == 1
    assert content_digest(DocumentBatch("set", table.slice(1))) not in digests
