"""Shapes over batches of a GPU: users' code is given cuDF, and nothing moves that need not.

Without a device, cuDF and pylibcudf are the stand-ins of ``tests/emulator/site``.
"""

from __future__ import annotations

import operator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate import InlineExecutor, Pipeline
from gpucurate.backends.gpu import close_memory
from gpucurate.frame import table as frame
from gpucurate.spec.resources import Resources
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.shapes import Branch, Parallel, ReduceStage
from gpucurate.stages.text.io.reader import ParquetReader
from gpucurate.stages.text.io.writer import ParquetWriter

GPU = Resources(gpus=0.5)


@pytest.fixture(autouse=True)
def device(cuda):
    """A device with cuDF, whose memory a run gives back."""
    pytest.importorskip("cudf")
    yield cuda
    close_memory()


@pytest.fixture
def parquet(tmp_path):
    (tmp_path / "in").mkdir()
    table = pa.table({"id": range(100), "text": ["é" * (n % 9) for n in range(100)], "tags": [["a"]] * 100})
    pq.write_table(table, tmp_path / "in" / "a.parquet", row_group_size=40)
    return tmp_path / "in" / "a.parquet"


class Lengths(ProcessingStage):
    resources = GPU

    def outputs(self):
        return ["data"], ["length"]

    def process(self, batch):
        assert frame.is_cudf(batch.data)
        return batch.assign({"length": batch.data["text"].str.len().astype("int64")})


class LongOnes(ProcessingStage):
    """Keeps texts by their length, with a frame of its own."""

    resources = GPU

    def process(self, batch):
        assert frame.is_cudf(batch.data)
        batch.data = batch.data[batch.data["text"].str.len() > 3]
        return batch


def stages_of(result):
    return {stats.stage_name: stats for phase in result.report.phases for stats in phase.stages}


@pytest.mark.parametrize("first", [None, Lengths()], ids=["columns of a device", "cuDF"])
def test_all_shapes_on_a_device(parquet, tmp_path, first):
    def low(batch):
        assert frame.is_cudf(batch.data)
        return batch.data["id"] < 10

    def documents(batch):
        assert frame.is_cudf(batch.data)
        return batch.num_items

    stages = [
        ParquetReader(parquet, fields=["text", "id"]).with_(resources=GPU),
        *([first.with_(name="first")] if first else []),
        ReduceStage(0, operator.add, documents, name="documents"),
        Branch(low, to="low", columns=["id"]),
        Parallel([Lengths(), LongOnes()], name="both"),
        ParquetWriter(tmp_path / "out"),
    ]
    result = Pipeline("test", stages=stages).run(InlineExecutor())
    written = pq.read_table(tmp_path / "out" / "a.parquet").to_pylist()
    assert [(row["id"], row["length"], row["tags"]) for row in written] == [
        (n, n % 9, ["a"]) for n in range(10, 100) if n % 9 > 3
    ]
    assert pq.read_table(tmp_path / "out" / "low" / "a.parquet")["id"].to_pylist() == list(range(10))
    assert result.report.reduced == {"documents": 100}
    assert dict(result.report.books.dropped) == {"branch: low": 10, "LongOnes": 90 - len(written)}
    moved = stages_of(result)
    assert moved["both"].device_to_host_bytes <= 8 * 90  # the number of each row that is left
    assert moved["documents"].device_to_host_bytes == 0
    assert not moved["both"].departures
    assert not moved["documents"].departures
