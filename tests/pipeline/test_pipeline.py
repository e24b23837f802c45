"""Pipelines as users write them."""

from __future__ import annotations

import gzip
import json
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate import InlineExecutor, LocalExecutor, Pipeline, processing_stage
from gpucurate.spec.errors import (
    ConfigurationError,
    OutputInUseError,
    QuarantinedError,
    TooManyRejectsError,
)
from gpucurate.stages.base import CompositeStage, ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader, ParquetReader
from gpucurate.stages.text.io.writer import DocumentWriter, JsonlWriter, ParquetWriter
from gpucurate.tasks import DocumentBatch, FileGroupTask
from tests.backends.corpus import outputs, write_corpus

ODD = [
    '{"id":1,  "text":"caf\\u00e9", "n": 1.50, "big": 123456789012345678901234567890}',
    '{ "z": [1,  2], "text": "naïve \\ud83d\\ude00", "id": 2}',
    '{"text":"\\/slash","id":3,"a":{"b" : null}}',
]


@pytest.fixture
def odd(tmp_path):
    path = tmp_path / "in" / "odd.jsonl"
    path.parent.mkdir()
    path.write_text("\n".join(ODD) + "\n")
    return path


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "in")


def keep(*wanted):
    return processing_stage(name="keep", inputs=["id"])(lambda b: b.select(b.to_pandas()["id"].isin(wanted)))


def run(*stages, **options):
    return Pipeline("test", stages=stages).run(InlineExecutor(), **options)


def test_kept_lines_are_the_bytes_of_the_input(odd, tmp_path):
    run(JsonlReader(odd, fields=["id"]), keep(1, 3), JsonlWriter(tmp_path / "out"))
    assert (tmp_path / "out" / "odd.jsonl").read_text() == f"{ODD[0]}\n{ODD[2]}\n"


@pytest.mark.parametrize("fields", [["id"], ["id", "text"], None])
def test_a_field_is_added_and_all_other_bytes_stay(odd, tmp_path, fields):
    add = processing_stage(name="add")(lambda b: b.assign({"lang": ["en", "fr", "de"]}))
    run(JsonlReader(odd, fields=fields), add, keep(1, 2), JsonlWriter(tmp_path / "out"))
    lines = (tmp_path / "out" / "odd.jsonl").read_text().splitlines()
    assert lines == [f'{ODD[0][:-1]},"lang":"en"}}', f'{ODD[1][:-1]},"lang":"fr"}}']


@pytest.mark.parametrize(
    "change",
    [
        lambda b: DocumentBatch(b.dataset_name, pd.DataFrame({"mine": b.to_pandas()["id"] * 10})),
        lambda b: setattr(b, "data", pa.table({"mine": [10, 20, 30]})) or b,
    ],
    ids=["a batch of its own", "another table"],
)
def test_a_stage_that_makes_its_own_table_writes_its_own_columns(odd, tmp_path, change):
    run(JsonlReader(odd, fields=["id"]), processing_stage(name="own")(change), JsonlWriter(tmp_path / "out"))
    assert (tmp_path / "out" / "odd.jsonl").read_text() == '{"mine":10}\n{"mine":20}\n{"mine":30}\n'


def test_parquet_keeps_columns_that_were_never_read(tmp_path):
    (tmp_path / "in").mkdir()
    table = pa.table(
        {"id": [1, 2, 3], "raw": [b"\xff", b"", None], "deep": [[{"a": 1}], [], None], "text": list("abc")}
    )
    pq.write_table(table, tmp_path / "in" / "a.parquet")
    add = processing_stage(name="add")(lambda b: b.assign({"n": b.to_pandas()["id"] * 2}))
    run(ParquetReader(tmp_path / "in", fields=["id"]), keep(1, 3), add, ParquetWriter(tmp_path / "out"))
    written = pq.read_table(tmp_path / "out" / "a.parquet")
    assert written.drop_columns(["n"]).equals(table.take([0, 2]))
    assert written["n"].to_pylist() == [2, 6]


def test_a_run_gives_light_tasks_and_a_report(corpus, tmp_path):
    result = run(JsonlReader(corpus, files_per_partition=2), JsonlWriter(tmp_path / "out"))
    assert len(result) == 6
    assert all(isinstance(task, FileGroupTask) for task in result)
    assert [Path(task.data[0]).name for task in result[:2]] == ["part-00.jsonl", "part-01.jsonl"]
    assert result.report.books.read == result.report.books.kept == 120
    assert result.report.output_files == 6
    assert "120 of 120 documents" in repr(result)


@pytest.mark.parametrize("executor", [InlineExecutor(), LocalExecutor(workers=1)], ids=["inline", "local"])
def test_data_comes_back_only_when_asked_for(corpus, executor):
    pipeline = Pipeline("test", stages=[JsonlReader(corpus, fields=["id"])])
    light = pipeline.run(executor)
    assert [(task.data, task.num_items, task.get_columns()) for task in light] == [(None, 20, ["id"])] * 6
    whole = pipeline.run(executor, collect=True)
    assert [n for task in whole for n in task.to_pyarrow()["id"].to_pylist()] == list(range(120))


def batches(*numbers):
    return [DocumentBatch("set", pd.DataFrame({"id": [n, n + 1], "text": ["a", "b"]})) for n in numbers]


def test_batches_in_memory_go_through_stages_to_a_writer(tmp_path):
    stages = [keep(1, 2, 5), JsonlWriter(tmp_path / "out")]
    result = run(*stages, initial_tasks=batches(1, 5))
    assert result.report.books.read == 4
    assert result.report.books.kept == 3
    assert result.report.books.dropped == {"keep": 1}
    lines = [(tmp_path / "out" / f"batch-0000{i}.jsonl").read_text().splitlines() for i in range(2)]
    assert [[json.loads(line)["id"] for line in file] for file in lines] == [[1, 2], [5]]
    assert run(*stages, initial_tasks=batches(1, 5)).report.phases[0].resumed_units == 2
    with pytest.raises(OutputInUseError, match=r"1 changed .task 1"):
        run(*stages, initial_tasks=batches(1, 6))


def test_a_first_stage_may_make_its_own_data(tmp_path):
    make = processing_stage(name="make")(lambda _: batches(1)[0])
    assert run(make, JsonlWriter(tmp_path / "out")).report.books.kept == 2


def test_a_task_that_names_files_is_read_by_a_reader(corpus):
    task = FileGroupTask("set", [str(corpus / "part-01.jsonl"), str(corpus / "part-02.jsonl")])
    result = run(JsonlReader(corpus, fields=["id"]), initial_tasks=[task], collect=True)
    assert [n for task in result for n in task.to_pyarrow()["id"].to_pylist()] == list(range(20, 60))
    assert result.report.books.read == 40


def test_a_finished_run_does_no_work_and_touches_no_output(corpus, tmp_path):
    class Untouched(ProcessingStage):
        def process(self, batch):
            (tmp_path / f"worked-{batch.task_id.replace('/', '-')}").touch()
            return batch

        def setup_on_node(self, node_info=None, worker_metadata=None):
            (tmp_path / "worked").touch()

    pipeline = Pipeline(
        "test",
        stages=[JsonlReader(corpus, files_per_partition=1), Untouched(), JsonlWriter(tmp_path / "out")],
    )
    first = pipeline.run(InlineExecutor())
    for mark in tmp_path.glob("worked*"):
        mark.unlink()
    state = tmp_path / "out" / "_gpucurate"
    watched = [
        *(tmp_path / "out").glob("*.jsonl"),
        state / "_SUCCESS",
        state / "manifest.json",
        state / "report.json",
    ]
    before = {path: path.stat().st_mtime_ns for path in watched}
    again = pipeline.run(InlineExecutor())
    assert {path: path.stat().st_mtime_ns for path in watched} == before
    assert not list(tmp_path.glob("worked*"))
    assert [task.data for task in again] == [task.data for task in first]
    assert again.report.books == first.report.books
    assert again.report.phases[0].resumed_units == 6


def test_a_stage_that_was_changed_is_another_run(corpus, tmp_path):
    run(JsonlReader(corpus, fields=["id"]), keep(1), JsonlWriter(tmp_path / "out"))
    with pytest.raises(OutputInUseError, match=r"differs in decides\.stages"):
        run(JsonlReader(corpus, fields=["id"]), keep(1).with_(name="other"), JsonlWriter(tmp_path / "out"))


def test_an_input_that_was_changed_is_another_run(corpus, tmp_path):
    stages = [JsonlReader(corpus, fields=["id"]), JsonlWriter(tmp_path / "out")]
    run(*stages)
    with (corpus / "part-03.jsonl").open("a") as file:
        file.write('{"id": 1000}\n')
    with pytest.raises(OutputInUseError, match=r"1 changed .part-03.jsonl: size"):
        run(JsonlReader(corpus, fields=["id"]), JsonlWriter(tmp_path / "out"))


@pytest.fixture
def dirty(corpus):
    with (corpus / "part-02.jsonl").open("a") as file:
        file.write("no json\n" * 5)
    return corpus


def test_too_many_rejects_are_an_error_with_the_figures(dirty, tmp_path):
    with pytest.raises(
        TooManyRejectsError, match=r"5 of 125 documents were rejected \(bad_json 5\).*1\.00%"
    ) as raised:
        run(JsonlReader(dirty, fields=["id"]), JsonlWriter(tmp_path / "out"))
    assert raised.value.exit_code == 7
    assert not (tmp_path / "out" / "_gpucurate" / "_SUCCESS").exists()
    result = run(JsonlReader(dirty, fields=["id"]), JsonlWriter(tmp_path / "out"), max_reject_rate=0.05)
    assert result.report.books.rejected == {"bad_json": 5}
    assert list((tmp_path / "out" / "_gpucurate" / "rejects").iterdir())


class Refuses(ProcessingStage):
    splittable = False

    def process(self, batch):
        if 45 in batch.to_pandas()["id"].to_numpy() and not self.mended.exists():
            raise ValueError("45")
        return batch

    def __init__(self, mended):
        self.mended = mended


def test_failures_can_be_ignored_and_made_good_later(corpus, tmp_path):
    stages = [
        JsonlReader(corpus, fields=["id"], files_per_partition=1),
        Refuses(tmp_path / "mended"),
        JsonlWriter(tmp_path / "out"),
    ]
    with pytest.raises(QuarantinedError):
        run(*stages)
    result = run(*stages, ignore_failures=True)
    state = tmp_path / "out" / "_gpucurate"
    assert len(result.report.quarantined) == 1
    assert (state / "_SUCCESS").exists()
    assert len(json.loads((state / "manifest.json").read_text())["files"]) == 5
    (tmp_path / "mended").touch()
    assert run(*stages).report.books.kept == 120
    assert len(json.loads((state / "manifest.json").read_text())["files"]) == 6
    assert not list((state / "quarantine").iterdir())


def test_the_state_may_lie_elsewhere(corpus, tmp_path):
    run(JsonlReader(corpus), JsonlWriter(tmp_path / "out"), checkpoint_path=tmp_path / "state")
    assert (tmp_path / "state" / "_SUCCESS").exists()
    assert not (tmp_path / "out" / "_gpucurate").exists()
    with pytest.raises(ConfigurationError, match="nothing to keep"):
        run(JsonlReader(corpus), checkpoint_path=tmp_path / "state")


def test_many_small_files_need_few_open_ones(tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(300):
        (tmp_path / "in" / f"{i:03d}.jsonl").write_text(f'{{"id": {i}}}\n')
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    others = len(list(Path("/proc/self/fd").iterdir()))  # of what earlier tests have left running
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, others + 150), hard))
    try:
        result = run(JsonlReader(tmp_path / "in", fields=["id"]), JsonlWriter(tmp_path / "out"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert result.report.phases[0].units == 1
    assert len(outputs(tmp_path / "out")) == 300
    assert [task.task_id for task in result] == [f"{i:03d}.jsonl" for i in range(300)]


def test_batches_held_back_beyond_what_is_open_are_an_error(tmp_path):
    class Shuffle(ProcessingStage):
        batch_size = 400

        def process(self, task):
            return task

        def process_batch(self, tasks):
            return [*tasks, tasks[0]]

    (tmp_path / "in").mkdir()
    for i in range(100):
        (tmp_path / "in" / f"{i:03d}.jsonl").write_text(f'{{"id": {i}}}\n')
    with pytest.raises(QuarantinedError, match=r"got documents for 000\.jsonl after those of 32 other files"):
        run(JsonlReader(tmp_path / "in", fields=["id"]), Shuffle(), JsonlWriter(tmp_path / "out"))


def test_a_piece_without_a_document_goes_through(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "in" / "b.jsonl").write_text("\n\n\n")
    (tmp_path / "in" / "c.jsonl").write_text("")
    length = processing_stage(name="length", inputs=["text"], outputs=["n"])(
        lambda b: b.assign({"n": b.to_pandas()["text"].str.len()})
    )
    result = run(JsonlReader(tmp_path / "in"), length, JsonlWriter(tmp_path / "out"))
    assert result.report.books.kept == 1
    assert result.report.books.blank == 3


class TwoSteps(CompositeStage):
    def decompose(self):
        return [keep(1, 2), keep(2).with_(name="again")]


def test_composite_stages_are_taken_apart(odd, tmp_path):
    pipeline = Pipeline("both", "two filters", stages=[JsonlReader(odd, fields=["id"]), TwoSteps()])
    assert pipeline.run(InlineExecutor()).report.books.dropped == {"keep": 1, "again": 1}


def test_a_description_touches_no_file(tmp_path):
    pipeline = Pipeline(
        "pages", "long ones", stages=[JsonlReader(tmp_path / "absent", fields=["id"]), TwoSteps()]
    )
    said = pipeline.describe()
    assert said.startswith("Pipeline 'pages': long ones\n  1. jsonl_reader")
    assert "2. keep" in said
    assert "needs id; adds none" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (lambda i, o: [JsonlReader(i, fields=["absent"])], "no column 'absent' in .*it has"),
        (
            lambda i, o: [JsonlReader(i, fields=["id"]), processing_stage(name="s", inputs=["text"])(len)],
            "stage 's' needs column 'text'",
        ),
        (lambda i, o: [JsonlReader(i), JsonlWriter(o / "a"), JsonlWriter(o / "b")], "2 writers"),
        (lambda i, o: [JsonlReader(i), ParquetWriter(o), DocumentWriter(o)], "2 writers"),
        (lambda i, o: [JsonlReader(i), JsonlWriter(i / "out")], "lies in the input"),
        (lambda i, o: [JsonlReader(i), JsonlWriter(i.parent)], "lies in the output"),
        (lambda i, o: [], "no stage"),
    ],
    ids=[
        "unknown field",
        "missing column",
        "two writers",
        "two kinds of writer",
        "out in in",
        "in in out",
        "none",
    ],
)
def test_what_cannot_work_is_refused_before_it_begins(corpus, tmp_path, stages, message):
    with pytest.raises(ConfigurationError, match=message):
        run(*stages(corpus, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_only_stages_can_be_added():
    with pytest.raises(ConfigurationError, match="is not a stage"):
        Pipeline("test").add_stage(len)
    with pytest.raises(ConfigurationError, match="only be the first"):
        Pipeline("test", stages=[TwoSteps()]).add_stage(JsonlReader("x"))


def test_a_reader_hidden_in_a_composite_is_found_too(corpus):
    class Hidden(CompositeStage):
        def decompose(self):
            return [JsonlReader(corpus)]

    with pytest.raises(ConfigurationError, match="only be the first"):
        run(TwoSteps(), Hidden())


def test_a_mask_of_positions_is_a_mistake_that_is_told(odd):
    wrong = processing_stage(name="wrong", splittable=False)(lambda b: b.select(np.array([0, 1, 2])))
    with pytest.raises(QuarantinedError, match="stage 'wrong' raised TypeError: a mask of int64"):
        run(JsonlReader(odd, fields=["id"]), wrong)


def test_two_inputs_that_would_be_written_to_one_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "b" / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "y"}\n'))
    writer = JsonlWriter(tmp_path / "out", compression="none")
    with pytest.raises(ConfigurationError, match=r"both be written to a\.jsonl"):
        Pipeline("clash", stages=[JsonlReader(tmp_path / "b"), writer]).run(InlineExecutor())
