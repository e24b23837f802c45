"""Many out of one, none out of many, several at a time: before, within and after the shapes."""

from __future__ import annotations

import operator

import pandas as pd
import pytest

from gpucurate import InlineExecutor, LocalExecutor, Pipeline, processing_stage
from gpucurate.planning.planner import make_plan
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.shapes import Branch, Parallel, ReduceStage
from gpucurate.stages.specification import specify
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch
from tests.backends.corpus import outputs
from tests.stages.shapes.rows import add, ids, keep, own_frame, read_rows, reader, write_rows

EXECUTORS = {"inline": InlineExecutor, "local": lambda: LocalExecutor(workers=2)}
square = add("square", lambda n: n * n)


@pytest.fixture(params=EXECUTORS)
def run(request, tmp_path):
    """Runs stages over 100 documents in four files; the report."""
    write_rows(tmp_path / "in", "jsonl")

    def run(*stages, out="out", **options):
        given = [reader(tmp_path / "in", "jsonl", **options), *stages, JsonlWriter(tmp_path / out)]
        return Pipeline("test", stages=given).run(EXECUTORS[request.param]()).report

    return run


def documents(name="documents"):
    return ReduceStage(0, operator.add, lambda batch: batch.num_items, name=name)


def test_many_tasks_of_one_go_on_one_by_one(run, tmp_path):
    def halves(batch):
        odd = batch.to_pandas()["id"] % 2 == 1
        yield batch.select(~odd)
        yield batch.select(odd)

    fan_out = processing_stage(name="fan out", inputs=["id"])(halves)
    low = Branch(lambda b: b.to_pandas()["id"] < 10, to="low")
    report = run(fan_out, Parallel([square, keep("some", lambda n: n % 5)]), low, documents())
    assert ids(tmp_path / "out")[:6] == [12, 14, 16, 18, 22, 24]  # first the even ones of a file
    assert ids(tmp_path / "out" / "low") == [2, 4, 6, 8, 1, 3, 7, 9]
    assert dict(report.books.dropped) == {"some": 20, "branch: low": 8}
    assert report.books.kept == report.reduced["documents"] == 72


def test_more_rows_than_there_were_are_told_apart_from_there_on(run, tmp_path):
    twice = own_frame("twice", lambda f: pd.concat([f, f]).sort_values("id", kind="stable"))
    report = run(twice, documents("doubled"), Parallel([square, keep("even", lambda n: n % 2 == 0)]))
    assert ids(tmp_path / "out")[:4] == [0, 0, 2, 2]
    assert read_rows(tmp_path / "out")[3]["square"] == 4
    assert dict(report.books.added) == {"twice": 100}
    assert (report.reduced["doubled"], report.books.kept) == (200, 100)


def test_batches_that_a_filter_empties_go_through_all_shapes(run, tmp_path):
    nothing_aside = Branch(lambda b: b.to_pandas()["id"] >= 0, to="aside")
    shapes = [Parallel([square, keep("all", lambda n: True)]), nothing_aside, documents()]
    report = run(keep("late", lambda n: n >= 75), *shapes)
    assert ids(tmp_path / "out") == []
    assert ids(tmp_path / "out" / "aside") == list(range(75, 100))
    assert dict(report.books.dropped) == {"late": 75, "branch: aside": 25}
    assert report.reduced == {"documents": 0}
    report = run(keep("none", lambda n: False), Parallel([square]), documents(), out="empty")
    assert read_rows(tmp_path / "empty") == []
    assert (report.books.kept, report.reduced["documents"]) == (0, 0)


class Pooled(ProcessingStage):
    """Is given several batches at a time, and gives one for each."""

    batch_size = 3

    def __init__(self):
        self.name = "pooled"

    def process(self, task):
        raise AssertionError("process_batch is there")

    def process_batch(self, tasks):
        self.count(f"{len(tasks)} at a time")
        total = sum(task.num_items for task in tasks)
        return [task.assign({"pool": [total] * task.num_items}) for task in tasks]


def test_several_batches_at_a_time_between_the_shapes(run, tmp_path):
    low = Branch(lambda b: b.to_pandas()["id"] < 10, to="low")
    report = run(Parallel([square]), low, Pooled(), documents())
    assert [row["pool"] for row in read_rows(tmp_path / "out")] == [65] * 65 + [25] * 25
    assert ids(tmp_path / "out" / "low") == list(range(10))
    assert report.reduced == {"documents": 90}
    assert report.counts == {"3 at a time": 1, "1 at a time": 1, "written to low": 10}


def test_side_by_side_it_is_given_one_batch_at_a_time(run, tmp_path):
    report = run(Parallel([Pooled(), square]))
    assert [row["pool"] for row in read_rows(tmp_path / "out")] == [25] * 100
    assert report.counts == {"1 at a time": 4}


@pytest.mark.parametrize("run", ["local"], indirect=True)
def test_shapes_in_workers_of_their_own(run, tmp_path):
    """Another environment makes another segment: figures, books and files of all come together."""
    before = [documents("read"), Branch(lambda b: b.to_pandas()["id"] < 10, to="low")]
    after = [
        Parallel([square, keep("even", lambda n: n % 2 == 0)]).with_(runtime_env={"env_vars": {"A": "1"}}),
        Branch(lambda b: b.to_pandas()["id"] > 90, to="high").with_(runtime_env={"env_vars": {"A": "1"}}),
        documents("kept").with_(runtime_env={"env_vars": {"A": "1"}}),
    ]
    plan = Pipeline("test", stages=[reader(tmp_path / "in", "jsonl"), *before, *after]).stages
    assert len(make_plan("main", [specify(stage) for stage in plan]).segments) == 2
    report = run(*before, *after)
    assert report.reduced == {"read": 100, "kept": 41}
    assert dict(report.books.dropped) == {"branch: low": 10, "even": 45, "branch: high": 4}
    assert (ids(tmp_path / "out" / "low"), ids(tmp_path / "out" / "high")) == (
        list(range(10)),
        [92, 94, 96, 98],
    )
    again = run(*before, *after)
    assert again.reduced == report.reduced
    run(*[stage.with_(runtime_env={}) for stage in (*before, *after)], out="one segment")
    assert outputs(tmp_path / "out") == outputs(tmp_path / "one segment")


def test_batches_of_the_users_own_in_and_out(tmp_path):
    given = [DocumentBatch("set", pd.DataFrame({"id": [n, n + 1]})) for n in (0, 10)]
    stages = [Parallel([square, keep("even", lambda n: n % 2 == 0)]), documents()]
    result = Pipeline("test", stages=stages).run(InlineExecutor(), initial_tasks=given, collect=True)
    assert [task.to_pyarrow().to_pylist() for task in result] == [
        [{"id": 0, "square": 0}],
        [{"id": 10, "square": 100}],
    ]
    assert result.report.reduced == {"documents": 2}
