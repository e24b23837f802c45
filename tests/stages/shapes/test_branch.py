"""Rows that are written aside."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate import InlineExecutor, LocalExecutor, Pipeline, processing_stage
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, QuarantinedError
from gpucurate.stages.shapes import Branch
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import DocumentWriter, JsonlWriter, ParquetWriter
from gpucurate.tasks import DocumentBatch
from tests.backends.corpus import outputs
from tests.stages.shapes.rows import add, ids, keep, read_rows, reader, write_rows, writer

EXECUTORS = {"inline": InlineExecutor, "local": lambda: LocalExecutor(workers=2)}


def low(batch):
    return batch.to_pandas()["id"] < 30


@pytest.fixture(params=["jsonl", "parquet"])
def layout(request):
    return request.param


@pytest.fixture
def pipeline(layout, tmp_path):
    """A pipeline over 100 documents in four files."""
    write_rows(tmp_path / "in", layout)

    def pipeline(*stages, out="out", **options):
        given = [reader(tmp_path / "in", layout, **options), *stages, writer(tmp_path / out, layout)]
        return Pipeline("test", stages=given)

    return pipeline


@pytest.mark.parametrize("executor", EXECUTORS)
def test_rows_go_aside_whole_and_the_others_go_on(pipeline, tmp_path, executor):
    result = pipeline(Branch(low, to="low", columns=["id"])).run(EXECUTORS[executor]())
    assert ids(tmp_path / "out" / "low") == list(range(30))
    assert ids(tmp_path / "out") == list(range(30, 100))
    assert all(row["raw"] in (1.5, b"\xff") for row in read_rows(tmp_path / "out" / "low"))
    books = result.report.books
    assert (books.read, books.kept, dict(books.dropped)) == (100, 70, {"branch: low": 30})
    assert result.report.counts == {"written to low": 30}
    assert result.report.output_files == 4 + 2  # of files without such rows there is none aside
    assert len(result) == 4
    manifest = json.loads((tmp_path / "out" / "_gpucurate" / "manifest.json").read_text())
    assert sum(entry["rows"] for entry in manifest["files"]) == 100


def test_with_copy_they_go_on_as_well(pipeline, tmp_path):
    report = pipeline(Branch(low, to="low", copy=True)).run(InlineExecutor()).report
    assert ids(tmp_path / "out" / "low") == list(range(30))
    assert ids(tmp_path / "out") == list(range(100))
    assert (report.books.kept, dict(report.books.dropped)) == (100, {})
    assert report.counts == {"written to low": 30}


def test_a_column_of_bool_is_a_predicate(pipeline, tmp_path):
    pipeline(add("odd", lambda n: n % 2 == 1), Branch("odd", to="aside/odd")).run(InlineExecutor())
    assert ids(tmp_path / "out" / "aside" / "odd") == list(range(1, 100, 2))
    assert read_rows(tmp_path / "out" / "aside" / "odd")[0]["odd"] is True


def test_branches_in_sequence_each_take_of_what_is_left(pipeline, tmp_path):
    stages = [
        Branch(low, to="low", name="first"),
        keep("even", lambda n: n % 2 == 0),
        Branch(lambda b: b.to_pandas()["id"] >= 90, to="high"),
    ]
    books = pipeline(*stages).run(InlineExecutor()).report.books
    assert dict(books.dropped) == {"first: low": 30, "even": 35, "branch: high": 5}
    assert ids(tmp_path / "out" / "high") == [90, 92, 94, 96, 98]
    assert ids(tmp_path / "out") == list(range(30, 90, 2))


def test_a_writer_says_how_they_are_written(pipeline, tmp_path):
    aside = ParquetWriter(tmp_path / "out" / "low", fields=["id"], compression="snappy")
    pipeline(Branch(low, to=aside)).run(InlineExecutor())
    written = pq.read_table(tmp_path / "out" / "low" / "part-0.parquet")
    assert written.to_pydict() == {"id": list(range(25))}


@pytest.mark.parametrize("layout", ["jsonl"], indirect=True)
def test_another_output_with_the_writer_beneath_it_is_the_same_plan(pipeline, tmp_path):
    plans = [
        pipeline(Branch(low, to=JsonlWriter(tmp_path / out / "low")), out=out).build().fingerprint
        for out in ("one", "two")
    ]
    plans.append(pipeline(Branch(low, to="low")).build().fingerprint)
    plans.append(pipeline(Branch(low, to="other")).build().fingerprint)
    assert plans[0] == plans[1] != plans[3]
    assert plans[2] != plans[3]


def test_a_relative_output_and_a_relative_writer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "in", "jsonl")
    stages = [reader("in", "jsonl"), Branch(low, to=JsonlWriter("out/low")), JsonlWriter("out")]
    Pipeline("test", stages=stages).run(InlineExecutor())
    assert ids(tmp_path / "out" / "low") == list(range(30))


def test_both_outputs_are_the_same_with_any_workers_and_batches(pipeline, tmp_path):
    branch = Branch(low, to="low")
    pipeline(branch, out="inline").run(InlineExecutor())
    for workers in (1, 2):
        pipeline(branch, out=f"local{workers}").run(LocalExecutor(workers=workers))
        assert outputs(tmp_path / f"local{workers}") == outputs(tmp_path / "inline")
    pipeline(branch, out="grouped", files_per_partition=3).run(InlineExecutor())
    assert outputs(tmp_path / "grouped") == outputs(tmp_path / "inline")


def test_a_finished_run_is_not_done_again_and_a_file_that_is_gone_from_aside_is(pipeline, tmp_path):
    pipeline(Branch(low, to="low")).run(InlineExecutor())
    before = outputs(tmp_path / "out")
    again = pipeline(Branch(low, to="low")).run(InlineExecutor())
    assert again.report.phases[0].resumed_units == 4
    assert all("low" not in os.path.relpath(task.data[0], tmp_path / "out") for task in again)
    next((tmp_path / "out" / "low").iterdir()).unlink()
    assert pipeline(Branch(low, to="low")).run(InlineExecutor()).report.phases[0].resumed_units == 3
    assert outputs(tmp_path / "out") == before
    with pytest.raises(OutputInUseError):
        pipeline(Branch(low, to="elsewhere")).run(InlineExecutor())


def test_batches_made_in_memory_and_frames_of_ones_own(tmp_path):
    given = [DocumentBatch("set", pd.DataFrame({"id": [n, n + 50]}, index=[7, 7])) for n in range(3)]
    stages = [Branch(low, to="low"), JsonlWriter(tmp_path / "out")]
    Pipeline("test", stages=stages).run(InlineExecutor(), initial_tasks=given)
    assert ids(tmp_path / "out" / "low") == [0, 1, 2]
    assert ids(tmp_path / "out") == [50, 51, 52]


MASKS = {
    "a list": lambda b: [n < 30 for n in b.to_pyarrow()["id"].to_pylist()],
    "NumPy": lambda b: b.to_pandas()["id"].to_numpy() < 30,
    "Arrow": lambda b: pa.array([n < 30 for n in b.to_pyarrow()["id"].to_pylist()]),
    "pandas": low,
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_may_be_of_any_engine(kind, tmp_path):
    write_rows(tmp_path / "in", "jsonl")
    stages = [reader(tmp_path / "in", "jsonl"), Branch(MASKS[kind], to="low"), JsonlWriter(tmp_path / "out")]
    Pipeline("test", stages=stages).run(InlineExecutor())
    assert ids(tmp_path / "out" / "low") == list(range(30))


@pytest.mark.parametrize(
    ("predicate", "said"),
    [
        (lambda b: [True], r"ValueError: a mask of shape \(1,\) for 25 rows"),
        (lambda b: b.to_pandas()["id"], "TypeError: a mask of int64 is not one of bool without nulls"),
        (lambda b: [None] * 25, "TypeError: a mask of object is not one of bool without nulls"),
        (lambda b: 1 // 0, "ZeroDivisionError"),
        (lambda b: None, r"ValueError: a mask of shape \(\) for 25 rows"),
        ("text", "TypeError: a mask of object is not one of bool"),
    ],
    ids=["too short", "numbers", "nulls", "raises", "nothing", "a column of text"],
)
def test_a_predicate_that_gives_no_mask_is_named_and_nothing_is_written(predicate, said, tmp_path):
    write_rows(tmp_path / "in", "jsonl", files=1)
    stages = [reader(tmp_path / "in", "jsonl"), Branch(predicate, to="low", name="odd ones"),
              JsonlWriter(tmp_path / "out")]  # fmt: skip
    with pytest.raises(QuarantinedError, match=f"stage 'odd ones' raised {said}"):
        Pipeline("test", stages=stages).run(InlineExecutor())
    assert outputs(tmp_path / "out") == {}


def test_a_column_with_nulls_is_no_predicate(tmp_path):
    given = [DocumentBatch("set", pa.table({"odd": [True, None]}))]
    stages = [Branch("odd", to="low"), JsonlWriter(tmp_path / "out")]
    with pytest.raises(QuarantinedError, match="without nulls"):
        Pipeline("test", stages=stages).run(InlineExecutor(), initial_tasks=given)


@pytest.mark.parametrize(
    "to", ["/aside", "../aside", "a/../../b", "", ".", "_gpucurate", "_gpucurate/scratch"]
)
def test_a_folder_that_is_not_beneath_the_output_is_refused(to):
    with pytest.raises(ConfigurationError, match="no folder of its own within the output"):
        Branch(low, to=to)


class OwnWriter(DocumentWriter):
    pass


def test_what_cannot_be_written_aside_is_refused_before_anything_runs(pipeline, tmp_path):
    def refused(said, *stages, **options):
        with pytest.raises(ConfigurationError, match=said):
            pipeline(*stages, **options).run(InlineExecutor())
        assert not (tmp_path / "out").exists()

    refused("does not lie in the output", Branch(low, to=JsonlWriter(tmp_path / "aside")))
    refused("no folder of its own", Branch(low, to=JsonlWriter(tmp_path / "out")))
    refused("which are one folder or lie one in the other", Branch(low, to="a"), Branch(low, to="a/b"))
    refused("which are one folder", Branch(low, to="a"), Branch(low, to="a"))
    refused("needs column 'absent'", Branch("absent", to="a"))
    refused("needs column 'more'", Branch(low, to="a", columns=["more"]))
    with pytest.raises(ConfigurationError, match="cannot write by a OwnWriter"):
        Branch(low, to=OwnWriter(tmp_path / "out" / "low"))
    with pytest.raises(ConfigurationError, match="neither the name of a column nor a function"):
        Branch(3, to="low")


def test_a_branch_needs_an_output_to_write_beneath(tmp_path):
    write_rows(tmp_path / "in", "jsonl")
    with pytest.raises(ConfigurationError, match="the pipeline, which has no writer"):
        Pipeline("test", stages=[reader(tmp_path / "in", "jsonl"), Branch(low, to="low")]).build()


def test_a_folder_of_the_same_name_in_the_input_is_refused(tmp_path):
    write_rows(tmp_path / "in" / "low", "jsonl")
    stages = [reader(tmp_path / "in", "jsonl"), Branch(low, to="low"), JsonlWriter(tmp_path / "out")]
    with pytest.raises(ConfigurationError, match="the input has low/part-0"):
        Pipeline("test", stages=stages).run(InlineExecutor())
    stages[1] = Branch(low, to="lower")
    Pipeline("test", stages=stages).run(InlineExecutor())
    assert ids(tmp_path / "out" / "lower" / "low") == list(range(30))


@pytest.mark.parametrize("layout", ["jsonl"], indirect=True)
def test_a_unit_that_fails_after_rows_went_aside_leaves_nothing_there(pipeline, tmp_path):
    fail = processing_stage(name="fail")(lambda b: b if b.num_items == 25 else 1 // 0)
    fail.splittable = False  # so that no single document is at fault
    with pytest.raises(QuarantinedError):
        pipeline(Branch(low, to="low"), fail).run(InlineExecutor())
    assert sorted(outputs(tmp_path / "out")) == ["part-2.jsonl", "part-3.jsonl"]
    attempts = tmp_path / "out" / "_gpucurate" / "attempts"
    assert not [path for path in attempts.rglob("*") if path.is_file()]


def test_many_files_aside_are_closed_in_time(tmp_path):
    write_rows(tmp_path / "in", "jsonl", files=150, rows=2)
    every_other = Branch(lambda b: np.arange(b.num_items) % 2 == 0, to="aside")
    stages = [JsonlReader(tmp_path / "in", fields=["id"]), every_other, JsonlWriter(tmp_path / "out")]
    Pipeline("test", stages=stages).run(InlineExecutor())
    assert len(read_rows(tmp_path / "out" / "aside")) == len(read_rows(tmp_path / "out")) == 150
