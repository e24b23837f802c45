"""One figure over all documents."""

from __future__ import annotations

import json
import operator
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from gpucurate import InlineExecutor, LocalExecutor, Pipeline, processing_stage
from gpucurate.spec.errors import ConfigurationError, QuarantinedError, StageError
from gpucurate.stages.shapes import Parallel, ReduceStage
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import outputs
from tests.stages.shapes.rows import add, ids, keep, reader, write_rows, writer

EXECUTORS = {"inline": InlineExecutor, "local": lambda: LocalExecutor(workers=2)}


def numbers(batch):
    return batch.to_pyarrow()["id"].to_pylist()


class Histogram(ReduceStage):
    """How many documents have each last digit."""

    name = "digits"
    columns = ("id",)

    def zero(self):
        return np.zeros(10, np.int64)

    def map(self, batch):
        return np.bincount([n % 10 for n in numbers(batch)], minlength=10)

    def merge(self, a, b):
        return np.add(a, b)


def count(name="documents"):
    return ReduceStage(0, operator.add, lambda batch: batch.num_items, name=name)


def in_order(name="order"):
    """Neither commutative nor without regard to what comes first."""
    return ReduceStage(list, operator.add, lambda batch: [numbers(batch)[0], numbers(batch)[-1]], name=name)


@pytest.fixture(params=["jsonl", "parquet"])
def layout(request):
    return request.param


@pytest.fixture
def pipeline(layout, tmp_path):
    write_rows(tmp_path / "in", layout)

    def pipeline(*stages, out="out", **options):
        given = [reader(tmp_path / "in", layout, **options), *stages, writer(tmp_path / out, layout)]
        return Pipeline("test", stages=given)

    return pipeline


@pytest.mark.parametrize("executor", EXECUTORS)
def test_values_of_all_batches_are_merged_in_order_of_the_input(pipeline, tmp_path, executor):
    stages = [count(), Histogram(), keep("even", lambda n: n % 2 == 0), in_order(), count("even ones")]
    report = pipeline(*stages).run(EXECUTORS[executor]()).report
    assert report.reduced == {
        "documents": 100,
        "digits": [10] * 10,
        "order": [0, 24, 26, 48, 50, 74, 76, 98],
        "even ones": 50,
    }
    written = json.loads((tmp_path / "out" / "_gpucurate" / "report.json").read_text())
    assert written["reduced"] == report.reduced
    assert ids(tmp_path / "out") == list(range(0, 100, 2))


def test_batches_go_on_byte_for_byte(pipeline, tmp_path):
    pipeline(count(), Histogram(), out="with").run(InlineExecutor())
    pipeline(out="without").run(InlineExecutor())
    assert outputs(tmp_path / "with") == outputs(tmp_path / "without")


def test_values_do_not_depend_on_where_units_and_batches_end(pipeline):
    found = [
        pipeline(count(), Histogram(), out=f"out{n}", files_per_partition=n)
        .run(InlineExecutor())
        .report.reduced
        for n in (1, 2, 4)
    ]
    assert found[0] == found[1] == found[2]


def test_without_a_writer_the_figure_is_all_there_is(tmp_path):
    write_rows(tmp_path / "in", "jsonl")
    stages = [reader(tmp_path / "in", "jsonl"), count()]
    assert Pipeline("test", stages=stages).run(InlineExecutor()).report.reduced == {"documents": 100}


def test_over_no_documents_it_is_zero_and_batches_without_any_are_passed_over(pipeline):
    largest = ReduceStage(None, max, lambda batch: max(numbers(batch)), name="largest")
    report = pipeline(keep("some", lambda n: 25 <= n < 30), largest, out="some").run(InlineExecutor()).report
    assert report.reduced == {"largest": 29}
    report = (
        pipeline(keep("none", lambda n: False), largest, Histogram(), out="none").run(InlineExecutor()).report
    )
    assert report.reduced == {"largest": None, "digits": [0] * 10}


def test_side_by_side_with_others_it_sees_all_rows(pipeline):
    stage = Parallel(
        [keep("even", lambda n: n % 2 == 0), count(), add("square", lambda n: n * n), Histogram()]
    )
    report = pipeline(stage).run(LocalExecutor(workers=1)).report
    assert report.reduced == {"documents": 100, "digits": [10] * 10}
    assert dict(report.books.dropped) == {"even": 50}


def test_a_finished_run_that_is_run_again_has_the_figures_of_the_first(pipeline):
    first = pipeline(count(), in_order()).run(InlineExecutor()).report
    again = pipeline(count(), in_order()).run(InlineExecutor()).report
    assert again.phases[0].resumed_units == 4
    assert again.reduced == first.reduced


class Trouble:
    """A function that does something once, when it first meets document 60."""

    def __init__(self, folder: Path, what: str) -> None:
        self.mark, self.what = str(folder / "met"), what

    def __call__(self, batch):
        if 60 in numbers(batch) and not Path(self.mark).exists():
            Path(self.mark).write_text("")
            if self.what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("document 60")
        return batch


@pytest.mark.parametrize("what", ["die", "raise"])
def test_a_unit_that_is_tried_again_counts_once(pipeline, tmp_path, what):
    trouble = processing_stage(name="trouble")(Trouble(tmp_path, what))
    report = pipeline(count(), in_order(), trouble, count("after")).run(LocalExecutor(workers=2)).report
    assert report.phases[0].retries == 1
    assert report.reduced["documents"] == report.reduced["after"] == 100
    assert report.reduced["order"] == [0, 24, 25, 49, 50, 74, 75, 99]


def test_a_unit_that_is_set_aside_does_not_count_until_it_is_done(pipeline, tmp_path):
    never = processing_stage(name="never")(lambda b: 1 // 0 if 60 in numbers(b) and not mark.exists() else b)
    never.splittable = False  # so that no single document is at fault
    mark = tmp_path / "mended"
    report = pipeline(count(), never).run(InlineExecutor(), ignore_failures=True).report
    assert report.reduced == {"documents": 75}
    mark.write_text("")
    report = pipeline(count(), never).run(InlineExecutor()).report
    assert (report.reduced, report.phases[0].resumed_units) == ({"documents": 100}, 3)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (
            ReduceStage(0, lambda a, b: 1 // 0, lambda b: 1),
            "stage 'reduce' could not merge two values: ZeroDivisionError",
        ),
        (ReduceStage(0, operator.add, lambda b: {1, 2}), r"'reduce': map\(batch\) is a set"),
        (ReduceStage(0, operator.add, lambda b: {3: 1}), r"map\(batch\) has the key 3, .* give str\(3\)"),
        (ReduceStage(0, operator.add, lambda b: {"a": [float("nan")]}), r"map\(batch\)\['a'\]\[0\] is nan"),
        (ReduceStage(0, operator.add, lambda b: 2**64), "an integer beyond 64 bits"),
    ],
    ids=["merge raises", "a set", "a key", "NaN", "a large integer"],
)
def test_what_is_no_figure_is_named(tmp_path, stage, said):
    write_rows(tmp_path / "in", "jsonl", files=2)
    stages = [reader(tmp_path / "in", "jsonl"), stage, JsonlWriter(tmp_path / "out")]
    with pytest.raises((QuarantinedError, StageError), match=said):
        Pipeline("test", stages=stages).run(InlineExecutor())


def test_a_merge_that_raises_within_a_unit_sets_it_aside(tmp_path):
    write_rows(tmp_path / "in", "jsonl", files=2)
    bad = ReduceStage(0, lambda a, b: 1 // 0, lambda b: 1)
    stages = [reader(tmp_path / "in", "jsonl"), processing_stage(name="twice")(lambda b: [b, b]), bad]
    with pytest.raises(
        QuarantinedError, match="stage 'reduce' could not merge two values: ZeroDivisionError"
    ):
        Pipeline("test", stages=stages).run(InlineExecutor())


def test_a_document_on_which_map_raises_is_rejected_and_the_others_count(tmp_path):
    write_rows(tmp_path / "in", "jsonl")
    bad = ReduceStage(list, operator.add, lambda b: [100 // (n - 60) for n in numbers(b)], name="quotients")
    stages = [reader(tmp_path / "in", "jsonl"), count(), bad, count("after"), JsonlWriter(tmp_path / "out")]
    report = Pipeline("test", stages=stages).run(InlineExecutor(), max_reject_rate=0.5).report
    assert report.reduced == {
        "documents": 100,
        "after": 99,
        "quotients": [100 // (n - 60) for n in range(100) if n != 60],
    }
    assert dict(report.books.rejected) == {"poison": 1}


def raise_if_made(stage):
    Pipeline("test", stages=[processing_stage()(len), stage]).build()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ReduceStage({1}, operator.add, len), "'reduce' has no zero: zero is a set"),
        (lambda: ReduceStage(lambda: 1 // 0, operator.add, len), "'reduce' has no zero: .*division"),
        (lambda: ReduceStage(0, operator.add), "'reduce' has no map: give one, or derive a class"),
        (lambda: ReduceStage(0, map=len), "'reduce' has no merge"),
        (
            lambda: Parallel([count(), Parallel([count(), Histogram()])]),
            "two stages make the figure 'documents'",
        ),
    ],
)
def test_what_cannot_be_merged_or_told_apart_is_refused_before_anything_runs(make, said):
    with pytest.raises(ConfigurationError, match=said):
        raise_if_made(make())


def test_a_map_that_changes_the_batch_it_was_given_changes_nothing(pipeline, tmp_path):
    def greedy(batch):
        batch.data = batch.to_pyarrow().select([])
        return 1

    pipeline(ReduceStage(0, operator.add, greedy)).run(InlineExecutor())
    assert ids(tmp_path / "out") == list(range(100))


def test_a_merge_that_changes_what_it_is_given_changes_nothing_else(pipeline):
    stage = ReduceStage(list, lambda a, b: a.extend(b) or a, numbers, name="all")
    run = pipeline(stage)
    assert run.run(InlineExecutor()).report.reduced["all"] == list(range(100))
    assert run.run(InlineExecutor()).report.reduced["all"] == list(range(100))
