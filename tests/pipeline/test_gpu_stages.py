"""Stages of users on a GPU: they are given cuDF, and a batch stays there from one to the next.

Without a device, cuDF and pylibcudf are the stand-ins of ``tests/emulator/site``.
"""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate import InlineExecutor, Pipeline, processing_stage
from gpucurate.backends.gpu import close_memory
from gpucurate.frame import table as frame
from gpucurate.spec.resources import Resources
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader, ParquetReader
from gpucurate.stages.text.io.writer import JsonlWriter, ParquetWriter

GPU = Resources(gpus=1)
TEXTS = [f"text é {'x' * (number % 9)} {number}" for number in range(200)]


@pytest.fixture(autouse=True)
def device(cuda):
    """A device with cuDF, whose memory a run gives back."""
    pytest.importorskip("cudf")
    yield cuda
    close_memory()


@pytest.fixture
def parquet(tmp_path):
    (tmp_path / "in").mkdir()
    table = pa.table({"id": range(200), "text": TEXTS, "tags": [["a"]] * 200})
    pq.write_table(table, tmp_path / "in" / "a.parquet", row_group_size=50)
    return tmp_path / "in" / "a.parquet"


@pytest.fixture
def lines(tmp_path):
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "a.jsonl"
    records = [{"id": number, "text": text} for number, text in enumerate(TEXTS)]
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    return path


class Lengths(ProcessingStage):
    """Adds the length of each text, by cuDF."""

    resources = GPU

    def outputs(self):
        return ["data"], ["length"]

    def process(self, batch):
        assert frame.is_cudf(batch.data)
        return batch.assign({"length": batch.data["text"].str.len().astype("int64")})


class LongOnes(ProcessingStage):
    """Keeps texts by their length, with a frame of its own."""

    resources = GPU

    def inputs(self):
        return ["data"], ["length"]

    def process(self, batch):
        assert frame.is_cudf(batch.data)
        batch.data = batch.data[batch.data["length"] > 13]
        return batch


class NotedOnCpu(ProcessingStage):
    """Looks at the rows on the CPU."""

    devices = frozenset({"cpu"})

    def process(self, batch):
        assert batch.device == "cpu"
        self.count("rows seen", batch.num_items)
        return batch


def reader(kind, path, **options):
    return kind(path, fields=["text", "id"], keep_original=False, **options).with_(resources=GPU)


def stages_of(result):
    return {stats.stage_name: stats for phase in result.report.phases for stats in phase.stages}


def column_bytes(path, *names):
    metadata = pq.ParquetFile(path).metadata
    groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
    chunks = [group.column(c) for group in groups for c in range(group.num_columns)]
    return sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema in names)


def test_stages_of_users_get_cudf_and_nothing_moves_between_them(parquet, tmp_path):
    stages = [reader(ParquetReader, parquet), Lengths(), LongOnes(), ParquetWriter(tmp_path / "out")]
    moved = stages_of(Pipeline("test", stages=stages).run(InlineExecutor()))
    assert moved["parquet_reader"].host_to_device_bytes == column_bytes(parquet, "text", "id")
    assert moved["parquet_reader"].device_to_host_bytes == 0
    for name in ("Lengths", "LongOnes"):
        assert (moved[name].host_to_device_bytes, moved[name].device_to_host_bytes) == (0, 0), name
        assert not moved[name].departures
    found = pq.read_table(tmp_path / "out").to_pydict()
    expected = [(text, len(text)) for text in TEXTS if len(text) > 13]
    assert list(zip(found["text"], found["length"], strict=True)) == expected


def test_a_stage_on_the_cpu_gets_the_rows_back_and_the_report_says_why(parquet, tmp_path):
    stages = [reader(ParquetReader, parquet), Lengths(), NotedOnCpu(), JsonlWriter(tmp_path / "out")]
    result = Pipeline("test", stages=stages).run(InlineExecutor())
    moved = stages_of(result)
    text, offsets, numbers = sum(len(text.encode()) for text in TEXTS), 4 * 51 * 8, 2 * 200 * 8
    assert moved["NotedOnCpu"].device_to_host_bytes == text + offsets + numbers
    assert dict(moved["NotedOnCpu"].departures) == {"stage NotedOnCpu runs on the CPU": 200}
    assert moved["NotedOnCpu"].custom_metrics["rows seen"] == 200
    rows = [json.loads(line) for line in (tmp_path / "out" / "a.jsonl").read_text().splitlines()]
    assert [(row["text"], row["length"]) for row in rows] == [(text, len(text)) for text in TEXTS]


def test_a_function_is_given_cudf_too(lines, tmp_path):
    @processing_stage(name="odd", resources=GPU)
    def odd(batch):
        assert frame.is_cudf(batch.data)
        return batch.select(batch.data["text"].str.len() % 2 == 1)

    stages = [reader(JsonlReader, lines, text_fields=["text"]), odd, JsonlWriter(tmp_path / "out")]
    Pipeline("test", stages=stages).run(InlineExecutor())
    written = (tmp_path / "out" / "a.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in written] == [text for text in TEXTS if len(text) % 2]


def test_with_originals_the_host_decodes_and_the_report_says_so(parquet, tmp_path):
    source = ParquetReader(parquet, fields=["text"]).with_(resources=GPU)
    stages = [source, Lengths(), ParquetWriter(tmp_path / "out")]
    moved = stages_of(Pipeline("test", stages=stages).run(InlineExecutor()))
    cause = "Parquet that is decoded on the CPU, for whole rows are kept"
    assert dict(moved["parquet_reader"].departures) == {cause: 200}
    found = pq.read_table(tmp_path / "out")
    assert found.column_names == ["id", "text", "tags", "length"]
    assert found["tags"].to_pylist() == [["a"]] * 200


def test_an_array_of_the_device_is_a_mask_and_a_column(parquet, tmp_path):
    @processing_stage(resources=GPU)
    def even(batch):
        ids = batch.data["id"].values
        return batch.select(ids % 2 == 0).assign({"half": (ids // 2)[ids % 2 == 0]})

    stages = [reader(ParquetReader, parquet), even, ParquetWriter(tmp_path / "out")]
    moved = stages_of(Pipeline("test", stages=stages).run(InlineExecutor()))
    found = pq.read_table(tmp_path / "out")
    assert found["half"].to_pylist() == list(range(100))
    assert moved["even"].host_to_device_bytes == 0
    assert found["id"].to_numpy().tolist() == np.arange(0, 200, 2).tolist()
