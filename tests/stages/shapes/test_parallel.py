"""Independent stages over one batch."""

from __future__ import annotations

import operator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpucurate import InlineExecutor, LocalExecutor, Pipeline, processing_stage
from gpucurate.checkpoint.rejects import read_rejects
from gpucurate.planning.planner import make_plan
from gpucurate.spec.errors import ConfigurationError, QuarantinedError, StageError
from gpucurate.spec.resources import Resources
from gpucurate.stages.base import CompositeStage, ProcessingStage
from gpucurate.stages.shapes import Branch, Parallel, ReduceStage
from gpucurate.stages.specification import specify
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch, FileGroupTask
from gpucurate.testing import check_stage
from tests.backends.corpus import outputs
from tests.stages.shapes.rows import add, ids, keep, own_frame, read_rows, reader, write_rows, writer

EXECUTORS = {"inline": InlineExecutor, "local": lambda: LocalExecutor(workers=2)}
even, third = keep("even", lambda n: n % 2 == 0), keep("third", lambda n: n % 3 == 0)
square, half = add("square", lambda n: n * n), add("half", lambda n: n / 2)


@pytest.fixture(params=["jsonl", "parquet"])
def layout(request):
    return request.param


@pytest.fixture
def run(layout, tmp_path):
    """Runs stages over 100 documents; the report and what was written."""
    write_rows(tmp_path / "in", layout)

    def run(*stages, executor=None, out="out"):
        given = [reader(tmp_path / "in", layout), *stages, writer(tmp_path / out, layout)]
        report = Pipeline("test", stages=given).run(executor or InlineExecutor()).report
        return report, read_rows(tmp_path / out)

    return run


def batch(**columns):
    return DocumentBatch("set", pa.table(columns))


def process(stage, given):
    (made,) = stage.process_batch([given])
    return made


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_row_stays_if_all_keep_it_and_has_the_columns_of_all(run, executor):
    report, rows = run(Parallel([even, square, third, half]), executor=EXECUTORS[executor]())
    assert [row["id"] for row in rows] == list(range(0, 100, 6))
    assert all(row["square"] == row["id"] ** 2 and row["half"] == row["id"] / 2 for row in rows)
    assert all(row["raw"] in (1.5, b"\xff") for row in rows)  # never read, and there
    assert report.books.dropped == {"even": 50, "third": 33}
    assert report.books.kept == 17


def test_the_bytes_are_those_of_the_same_stages_one_after_the_other(run, tmp_path):
    run(Parallel([even, square, third]), out="side by side")
    run(even, square, third, out="in sequence")
    assert outputs(tmp_path / "side by side") == outputs(tmp_path / "in sequence")


def test_a_row_that_several_drop_counts_for_the_first_of_them(run):
    assert run(Parallel([even, third]), out="a")[0].books.dropped == {"even": 50, "third": 33}
    assert run(Parallel([third, even]), out="b")[0].books.dropped == {"third": 66, "even": 17}


def test_each_is_given_all_rows_and_none_sees_what_another_made(run):
    seen = processing_stage(name="seen", outputs=["columns"])(
        lambda b: b.assign({"columns": [",".join(sorted(b.get_columns()))] * b.num_items})
    )
    count = processing_stage(name="count", outputs=["rows"])(
        lambda b: b.assign({"rows": [b.num_items] * b.num_items})
    )
    _, rows = run(Parallel([even, square, seen, count]))
    assert {row["columns"] for row in rows} == {"_gpucurate_row,id,text"}
    assert {row["rows"] for row in rows} == {25}
    assert "_gpucurate_row" not in rows[0]


def test_a_frame_of_ones_own_is_merged_by_its_row_numbers_whatever_became_of_the_index(run):
    odd_ones = own_frame("odd", lambda f: f[f["id"] % 2 == 1].reset_index(drop=True))
    shout = own_frame("shout", lambda f: f.assign(text=f["text"].str.upper()), outputs=["text"])
    fifth = own_frame("fifth", lambda f: f[f["id"] % 5 == 0].assign(fifth=f["id"] // 5))
    report, rows = run(Parallel([odd_ones, shout, fifth]))
    assert [(row["id"], row["text"], row["fifth"]) for row in rows] == [
        (n, f"DOCUMENT {n}", n // 5) for n in range(5, 100, 10)
    ]
    assert report.books.dropped == {"odd": 50, "fifth": 40}


def test_a_frame_of_all_rows_needs_no_row_numbers(run):
    scores = own_frame("scores", lambda f: pd.DataFrame({"score": f["id"] * 10}), outputs=["score"])
    _, rows = run(Parallel([scores, even]))
    assert [(row["id"], row["score"]) for row in rows] == [(n, n * 10) for n in range(0, 100, 2)]


@pytest.mark.parametrize("engine", ["arrow", "pandas", "pandas with labels"])
def test_batches_in_memory_may_lie_in_any_engine(engine):
    given = {"arrow": pa.table({"id": [1, 2, 3, 4]}), "pandas": pd.DataFrame({"id": [1, 2, 3, 4]})}
    given["pandas with labels"] = pd.DataFrame({"id": [1, 2, 3, 4]}, index=[7, 5, 5, 1])
    own = own_frame("own", lambda f: f[f["id"] > 1].reset_index(drop=True).assign(label=["b", None, "d"]))
    made = process(Parallel([even, own, square]), DocumentBatch("set", given[engine]))
    assert type(made.data) is type(given[engine])
    table = made.to_pyarrow().to_pylist()
    assert [(row["id"], row["label"], row["square"]) for row in table] == [(2, "b", 4), (4, "d", 16)]
    assert list(table[0]) == ["id", "label", "square"]


class Counting(ProcessingStage):
    def process(self, task):
        self.count("seen", task.num_items)
        return task


def test_a_batch_of_which_a_stage_makes_nothing_is_gone_and_the_others_count_all_the_same(run):
    late = processing_stage(name="late")(lambda b: None if b.to_pyarrow()["id"][0].as_py() == 25 else b)
    report, rows = run(Parallel([late, Counting()]))
    assert len(rows) == 75
    assert report.books.dropped == {"late": 25}
    assert report.counts == {"seen": 100}


def test_a_batch_that_is_emptied_goes_on_with_all_columns():
    made = process(Parallel([keep("none", lambda n: False), square]), batch(id=[1, 2]))
    assert made.num_items == 0
    assert made.get_columns() == ["id", "square"]


def test_one_that_changes_the_batch_it_was_given_changes_nothing_for_the_others():
    renew = processing_stage(name="renew")(lambda b: setattr(b, "data", pa.table({"x": [9, 9]})) or b)
    made = process(Parallel([renew, square]), batch(id=[1, 2]))
    assert made.to_pyarrow().to_pydict() == {"id": [1, 2], "x": [9, 9], "square": [1, 4]}


def test_side_by_side_within_side_by_side():
    made = process(Parallel([Parallel([even, square], name="inner"), third]), batch(id=list(range(13))))
    assert made.to_pyarrow().to_pydict() == {"id": [0, 6, 12], "square": [0, 36, 144]}


TROUBLE = {
    "two rows of one": own_frame("bad", lambda f: pd.concat([f, f]).sort_values("id")),
    "rows moved": own_frame("bad", lambda f: f[::-1]),
    "a row made twice, another not": own_frame("bad", lambda f: f.iloc[[0, 0, 1]]),
    "rows without a number": own_frame("bad", lambda f: f.assign(_gpucurate_row=0.5)),
    "rows that cannot be told apart": own_frame("bad", lambda f: f[["id"]][:3]),
    "several tasks": processing_stage(name="bad")(lambda b: [b, b]),
    "a generator of tasks": processing_stage(name="bad")(lambda b: (b.select([True] * 25) for _ in range(2))),
    "no batch": processing_stage(name="bad")(lambda b: FileGroupTask("set", ["a"])),
    "no task": processing_stage(name="bad")(lambda b: 17),
    "a table": processing_stage(name="bad")(lambda b: b.to_pandas()),
}


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("two rows of one", "'bad' gave 50 rows of 25: of stages side by side"),
        ("rows moved", "'bad' gave 25 rows of 25, some of them twice, moved or made up"),
        ("a row made twice, another not", "'bad' gave 3 rows of 25, some of them twice"),
        ("rows without a number", "'bad' gave rows without a number"),
        ("rows that cannot be told apart", "'bad' made a table of 3 rows of 25, and which .* select"),
        ("several tasks", "'bad' gave 2 batches of one"),
        ("a generator of tasks", "'bad' gave 2 batches of one"),
        ("no batch", "'bad' gave a FileGroupTask"),
        ("no task", "'bad' gave a int"),
        ("a table", "'bad' gave a str"),
    ],
)
def test_what_is_not_row_by_row_is_refused_by_name(case, said, tmp_path):
    write_rows(tmp_path / "in", "jsonl", files=1)
    stages = [
        reader(tmp_path / "in", "jsonl"),
        Parallel([even, TROUBLE[case]]),
        JsonlWriter(tmp_path / "out"),
    ]
    with pytest.raises(QuarantinedError, match=said):
        Pipeline("test", stages=stages).run(InlineExecutor())


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_document_on_which_one_raises_is_rejected_and_nothing_counts_twice(tmp_path, executor):
    write_rows(tmp_path / "in", "jsonl")
    fails = processing_stage(name="fails")(lambda b: 1 // 0 if 60 in b.to_pyarrow()["id"].to_pylist() else b)
    documents = ReduceStage(0, operator.add, lambda b: b.num_items, name="documents")
    given = [reader(tmp_path / "in", "jsonl"), Parallel([Counting(), documents, even, fails]),
             JsonlWriter(tmp_path / "out")]  # fmt: skip
    report = Pipeline("test", stages=given).run(EXECUTORS[executor](), max_reject_rate=0.5).report
    assert dict(report.books.rejected) == {"poison": 1}
    assert (report.counts["seen"], report.reduced, dict(report.books.dropped)) == (
        99, {"documents": 99}, {"even": 50},
    )  # fmt: skip
    assert ids(tmp_path / "out") == [n for n in range(0, 100, 2) if n != 60]
    (rejects,) = (tmp_path / "out" / "_gpucurate" / "rejects").iterdir()
    (entry,) = read_rejects(rejects)
    assert entry["path"] == "part-2.jsonl"
    assert entry["row"] == 10
    assert "stage 'fails' in 'parallel(Counting, documents, even, fails)' raised" in entry["detail"]


def test_rows_held_back_for_later_are_refused():
    class Held(ProcessingStage):
        def process(self, task):
            return None

        def flush(self):
            return [batch(id=[1])]

    with pytest.raises(Exception, match="'Held' gave batches when a unit of work had gone through"):
        Parallel([Held(), even]).flush()


def test_two_that_turn_out_to_make_one_column_are_named():
    hidden = own_frame("hidden", lambda f: f.assign(square=1))
    with pytest.raises(ConfigurationError, match="'square' and 'hidden' run side by side and both make"):
        process(Parallel([square, hidden]), batch(id=[1, 2]))


class Both(CompositeStage):
    def __init__(self, *parts):
        self.parts = parts

    def decompose(self):
        return list(self.parts)


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([], "no stage"),
        ([square, add("square", abs).with_(name="other")], "both make the column 'square'"),
        ([even, even], "two stages side by side are called 'even'"),
        ([even, reader("in", "jsonl")], "'jsonl_reader' reads or writes files"),
        ([even, JsonlWriter("out")], "'jsonl_writer' reads or writes files"),
        ([even, Branch("x", to="aside")], "'branch' reads or writes files"),
        ([even, Both(third, square)], "stands for 2 stages in sequence .third, square.: put it before"),
        ([even, len], "is not a stage"),
    ],
)
def test_what_cannot_run_side_by_side_is_refused_when_it_is_put_there(stages, said):
    with pytest.raises(ConfigurationError, match=said):
        Parallel(stages)


def test_a_composite_stage_that_stands_for_one_is_that_one():
    assert [stage.name for stage in Parallel([Both(even), square]).members] == ["even", "square"]


class Machine(ProcessingStage):
    def __init__(self, name, cpus=1.0, memory=0.0, gpus=0.0, devices=("cpu", "cuda"), limit=None, env=None):
        self.name, self.resources = name, Resources(cpus, memory, gpus)
        self.devices, self.limit, self.runtime_env = frozenset(devices), limit, env

    def process(self, task):
        return task

    def num_workers(self):
        return self.limit


def test_a_worker_has_the_most_cores_and_the_memory_of_all():
    both = Parallel([Machine("a", 2, memory=8), Machine("b", 4, memory=3.5, limit=5), Machine("c", limit=3)])
    assert both.resources == Resources(4, 11.5)
    assert both.num_workers() == 3
    assert Parallel([Machine("a", gpus=0.25), Machine("b", gpus=0.5)]).resources.gpus == 0.75
    assert Parallel([Machine("a", gpus=0.75), Machine("b", gpus=1)]).resources.gpus == 1
    assert Parallel([Machine("a", gpus=2), Machine("b", gpus=1)]).resources.gpus == 2


def test_devices_are_those_of_all_and_an_environment_that_of_those_who_ask():
    both = Parallel([Machine("a", devices=["cuda"]), Machine("b", env={"env_vars": {"A": "1"}})])
    assert both.devices == {"cuda"}
    assert both.runtime_env == {"env_vars": {"A": "1"}}
    with pytest.raises(ConfigurationError, match="a on cuda, b on cpu"):
        Parallel([Machine("a", devices=["cuda"]), Machine("b", devices=["cpu"])])
    with pytest.raises(ConfigurationError, match="ask for different runtime_env"):
        Parallel([Machine("a", env={"env_vars": {"A": "1"}}), Machine("b", env={"env_vars": {"A": "2"}})])
    with pytest.raises(ConfigurationError, match="ask for gpus and for gpu_memory_gb"):
        Parallel([Machine("a", gpus=1), Machine("b", memory=2)])


def test_needs_and_makes_are_those_of_all_and_are_checked_when_it_is_built(tmp_path):
    write_rows(tmp_path / "in", "jsonl")
    twice = processing_stage(name="twice", inputs=["square"], outputs=["twice"])(lambda b: b)
    stages = [reader(tmp_path / "in", "jsonl"), Parallel([square, twice])]
    with pytest.raises(ConfigurationError, match=r"'parallel\(square, twice\)' needs column 'square'"):
        Pipeline("test", stages=stages).build()
    assert Pipeline("test", stages=[stages[0], square, Parallel([even, twice])]).build().segments


class Loaded(ProcessingStage):
    """Says in a file when it is set up and torn down."""

    def __init__(self, name, log, fails=""):
        self.name, self.log, self.fails = name, log, fails

    def note(self, what):
        with self.log.open("a") as log:
            log.write(f"{what} {self.name}\n")
        if self.fails == what:
            raise OSError(f"no {self.name}")

    def setup_on_node(self, node_info=None, worker_metadata=None):
        self.note("fetch")

    def setup(self, worker_metadata=None):
        self.note("load")
        self.model = 3

    def teardown(self):
        self.note("close")

    def process(self, task):
        return task.assign({self.name: [self.model] * task.num_items})


@pytest.mark.parametrize("executor", EXECUTORS)
def test_each_is_set_up_and_torn_down_and_keeps_nothing_of_it(tmp_path, executor):
    write_rows(tmp_path / "in", "jsonl", files=1)
    log = tmp_path / "log"
    stages = [reader(tmp_path / "in", "jsonl"), Parallel([Loaded("a", log), Loaded("b", log)]),
              JsonlWriter(tmp_path / "out")]  # fmt: skip
    pipeline = Pipeline("test", stages=stages)
    pipeline.run(EXECUTORS[executor]())
    assert log.read_text().splitlines() == ["fetch a", "fetch b", "load a", "load b", "close b", "close a"]
    assert read_rows(tmp_path / "out")[0]["b"] == 3
    assert not hasattr(stages[1].stages[0], "model")
    assert pipeline.run(EXECUTORS[executor]()).report.phases[0].resumed_units == 1  # still the same plan


def test_one_that_cannot_be_set_up_is_named_and_those_before_it_are_torn_down(tmp_path):
    write_rows(tmp_path / "in", "jsonl", files=1)
    log = tmp_path / "log"
    members = [Loaded("a", log), Loaded("b", log, fails="load"), Loaded("c", log)]
    with pytest.raises(Exception, match="stage 'b' could not be set up: OSError: no b"):
        Pipeline("test", stages=[reader(tmp_path / "in", "jsonl"), Parallel(members)]).run(InlineExecutor())
    assert "close a" in log.read_text()
    assert "load c" not in log.read_text()


class Above(ProcessingStage):
    def __init__(self, limit):
        self.limit = limit

    def process(self, task):
        return task


def test_it_is_one_segment_and_its_plan_is_that_of_its_members():
    plans = [make_plan("main", [specify(Parallel([Above(limit), even]))]) for limit in (1, 1, 2)]
    assert [segment.name for segment in plans[0].segments] == ["parallel(Above, even)"]
    assert plans[0].fingerprint == plans[1].fingerprint != plans[2].fingerprint


def test_it_stands_every_odd_batch_that_its_members_stand():
    length = processing_stage(name="length", inputs=["text"], outputs=["length"])(
        lambda b: b.assign({"length": b.to_pandas()["text"].str.len().fillna(0).astype("int64")})
    )
    some = processing_stage(name="some", inputs=["text"])(
        lambda b: b.select(b.to_pandas()["text"].fillna("").str.len().to_numpy() % 2 == 0)
    )
    assert "huge text on cpu" in check_stage(Parallel([length, some]))


def test_ids_stay_with_their_rows_when_what_came_before_made_frames_of_its_own(run, tmp_path):
    before = own_frame("before", lambda f: f[f["id"] % 10 != 3])
    run(before, Parallel([even, square]))
    assert ids(tmp_path / "out") == [n for n in range(100) if n % 10 != 3 and n % 2 == 0]


def test_records_that_were_made_up_are_refused():
    bad = processing_stage(name="bad")(lambda b: DocumentBatch("set", b.data, records=np.arange(2) + 5))
    with pytest.raises(StageError, match="'bad' gave records that the batch has not"):
        process(Parallel([bad]), batch(id=[1, 2]))


def test_only_batches_of_documents_can_be_taken():
    with pytest.raises(StageError, match="was given a FileGroupTask: it takes batches of documents"):
        Parallel([even]).process(FileGroupTask("set", ["a"]))
