"""Stages as one stream: what is handed on, what is counted, what is freed, what is said of errors."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpucurate.backends.chain import Chain
from gpucurate.backends.runner import Assignment, Runner
from gpucurate.spec.books import Books
from gpucurate.spec.errors import ConfigurationError, StageError
from gpucurate.spec.events import Order
from gpucurate.spec.unit import Unit
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.function_decorators import processing_stage
from gpucurate.tasks import DocumentBatch
from gpucurate.tasks.origin import Origin


def batch(*texts: str, name: str = "f", ordinal: int = 0) -> DocumentBatch:
    table = pa.table({"text": pa.array(texts, pa.string())})
    return DocumentBatch("set", table, name, _origin=Origin(None, name, ordinal))


def texts(tasks) -> list[list[str]]:
    return [task.to_pyarrow()["text"].to_pylist() for task in tasks]


def run(*stages, tasks):
    return list(Chain(stages).run(tasks))


class Several(ProcessingStage):
    """Notes what it is given, and answers with whatever it was told to."""

    def __init__(self, answer=lambda tasks: tasks):
        self.answer = answer
        self.given = []

    def process(self, task):
        raise AssertionError("process_batch is overridden")

    def process_batch(self, tasks):
        self.given.append(texts(tasks))
        return self.answer(tasks)


def test_a_stage_may_answer_with_a_task_a_list_a_generator_or_nothing():
    answers = [
        lambda b: b,
        lambda b: [b, b],
        lambda b: (x for x in (b, b)),
        lambda b: None,
        lambda b: [],
        lambda b: (b,),
    ]
    counts = [len(run(processing_stage()(answer), tasks=[batch("a")])) for answer in answers]
    assert counts == [1, 2, 2, 0, 0, 1]


def test_nothing_among_the_answers_loses_none_of_the_others():
    keep_odd = Several(lambda tasks: [tasks[0], None, tasks[2]]).with_(batch_size=3)
    tasks = [batch(str(i), name=str(i)) for i in range(6)]
    assert texts(run(keep_odd, tasks=tasks)) == [["0"], ["2"], ["3"], ["5"]]
    assert texts(run(processing_stage()(lambda b: [None, b, None]), tasks=tasks[:1])) == [["0"]]


def test_groups_are_as_large_as_asked_for():
    stage = Several().with_(batch_size=4)
    run(stage, tasks=[batch(str(i)) for i in range(10)])
    assert [len(group) for group in stage.given] == [4, 4, 2]


def test_fewer_batches_than_came_in_need_one_file_or_rows_that_know_theirs():
    def fresh(tasks):
        return [DocumentBatch("set", pa.concat_tables([task.to_pyarrow() for task in tasks]))]

    merge = Several(fresh).with_(batch_size=2)
    one_range = [batch("a"), batch("b")]
    (merged,) = run(merge, tasks=one_range)
    assert merged._origin == one_range[0]._origin
    with pytest.raises(StageError, match="come from different files"):
        run(merge, tasks=[batch("a", name="one"), batch("b", name="two")])
    with pytest.raises(StageError, match="come from different files"):
        run(merge, tasks=[batch("a", ordinal=0), batch("b", ordinal=1)])


def test_batches_made_from_scratch_take_over_where_they_came_from():
    fresh = processing_stage()(lambda b: DocumentBatch("set", b.to_pandas()))
    (made,) = run(fresh, tasks=[batch("a", name="x")])
    assert made._origin.name == "x"


def test_what_was_held_back_comes_at_the_end_of_the_unit():
    class Hold(ProcessingStage):
        def process(self, task):
            self.held = [*getattr(self, "held", []), task]

        def flush(self):
            held, self.held = self.held, []
            return held

    assert texts(run(Hold(), processing_stage()(lambda b: b), tasks=[batch("a"), batch("b")])) == [
        ["a"],
        ["b"],
    ]


def test_each_task_tells_what_every_stage_did_to_it():
    first = processing_stage(name="first")(lambda b: b.select([True, False]))
    second = processing_stage(name="second")(lambda b: DocumentBatch("set", b.to_pandas()))
    (task,) = run(first, second, tasks=[batch("a", "b")])
    assert [(perf.stage_name, perf.num_items_out) for perf in task._stage_perf] == [
        ("first", 1),
        ("second", 1),
    ]


def test_time_is_that_of_the_stages_own_code_however_it_answers():
    import time

    def slow(tasks):
        time.sleep(0.02)
        return tasks

    chain = Chain([Several(slow), processing_stage(name="quick")(lambda b: b)])
    list(chain.run([batch("a"), batch("b")]))
    slow_stats, quick_stats = chain.statistics()
    assert slow_stats.process_time >= 0.04
    assert quick_stats.process_time < 0.02
    assert slow_stats.invocations == 2


@pytest.mark.parametrize(
    ("made", "told"),
    [("text", "str"), (pd.DataFrame({"a": [1]}), "DataFrame"), (5, "int"), ([5], "int"), ({"a": 1}, "dict")],
    ids=["string", "frame", "number", "list of numbers", "dictionary"],
)
def test_what_is_not_a_task_is_named(made, told):
    with pytest.raises(StageError, match=f"stage 'odd' returned {told}, which is not a task"):
        run(processing_stage(name="odd")(lambda b: made), tasks=[batch("a")])


def raise_in(where: str):
    class Raises(ProcessingStage):
        name = "raises"

        def process(self, task):
            if where == "call":
                raise ValueError("boom")
            yield task
            if where == "generator":
                raise ValueError("boom")

        def flush(self):
            if where == "flush":
                raise ValueError("boom")
            return []

    return Raises() if where != "exit" else processing_stage(name="raises")(lambda b: exit(3))


@pytest.mark.parametrize("where", ["call", "generator", "flush"])
def test_an_exception_tells_its_traceback_and_at_last_the_stage(where):
    with pytest.raises(StageError) as raised:
        run(
            processing_stage()(lambda b: b),
            raise_in(where),
            processing_stage()(lambda b: b),
            tasks=[batch("a")],
        )
    lines = str(raised.value).splitlines()
    assert lines[-1] == "stage 'raises' raised ValueError: boom"
    assert 'raise ValueError("boom")' in str(raised.value)
    assert raised.value.stage == "raises"


def test_a_stage_that_calls_exit_is_a_failure_and_no_end():
    with pytest.raises(StageError, match="raised SystemExit: 3"):
        run(raise_in("exit"), tasks=[batch("a")])


def test_a_column_that_is_missing_is_told_with_those_there_are():
    with pytest.raises(ConfigurationError, match="stage 'needs' needs column 'lang'; the batch has: text"):
        run(processing_stage(name="needs", inputs=["lang"])(lambda b: b), tasks=[batch("a")])


def test_a_batch_without_rows_and_columns_goes_round_stages_that_need_some():
    empty = DocumentBatch("set", pa.table({}))
    (task,) = run(
        processing_stage(inputs=["text"])(lambda b: b.assign({"n": b.to_pandas()["text"]})), tasks=[empty]
    )
    assert task is empty


class Reader(ProcessingStage):
    """Makes batches one by one, and looks whether the one before is still held."""

    def __init__(self):
        self.alive = []
        self.last = None

    def process(self, task):
        for i in range(5):
            gc.collect()
            self.alive.append(self.last is not None and self.last() is not None)
            made = batch(*[f"{i}-{j}" for j in range(10)], name=str(i))
            self.last = weakref.ref(made)
            box = [made]
            del made
            yield box.pop()


@pytest.mark.parametrize("size", [1, 2])
def test_a_batch_is_freed_before_the_next_is_read(size):
    reader = Reader()
    stages = [
        reader,
        processing_stage(name="same")(lambda b: b),
        processing_stage(name="filter")(lambda b: b.select(np.arange(10) % 2 == 0)),
        processing_stage(name="list")(lambda b: [b]),
        processing_stage(name="generator")(lambda b: (x for x in [b.assign({"n": [1] * 5})])),
        Several(lambda tasks: [task.select([True] * 5) for task in tasks]),
    ]
    if size > 1:
        stages = [reader, processing_stage(name="last")(lambda b: None)]
    list(map(type, Chain(stages).run([batch("start")])))
    assert reader.alive == [False] * 5


def settled(*stages, tasks) -> Books:
    chain = Chain(stages)
    list(chain.run(tasks))
    books = Books()
    chain.settle(books, tallied=False)
    assert books.balance == 0
    return books


def test_books_tell_drops_and_additions_by_stage():
    half = processing_stage(name="half")(lambda b: b.select(np.arange(b.num_items) % 2 == 0))
    twice = processing_stage(name="twice")(lambda b: [b, b])
    books = settled(half, twice, tasks=[batch("a", "b", "c", "d")])
    assert (books.read, books.kept, dict(books.dropped), dict(books.added)) == (
        4,
        4,
        {"half": 2},
        {"twice": 2},
    )


def test_documents_that_a_stage_makes_of_nothing_are_read():
    books = settled(processing_stage(name="make")(lambda t: batch("a", "b")), tasks=[])
    assert books.read == 0
    from gpucurate.tasks import EmptyTask

    books = settled(processing_stage(name="make")(lambda t: batch("a", "b")), tasks=[EmptyTask()])
    assert (books.read, books.kept) == (2, 2)


def test_what_was_counted_in_a_try_that_failed_does_not_count():
    class Counts(ProcessingStage):
        tries = 0

        def process(self, task):
            self.count("seen", task.num_items)
            type(self).tries += 1
            if type(self).tries == 1:
                raise ValueError("boom")
            return task

    runner = Runner(Assignment("main", [Counts()], None, False), 0)
    unit = Unit("u", 0, (), 1, [batch("a", "b")])
    with pytest.raises(StageError):
        runner.run(unit, Order())
    assert runner.run(unit, Order(2)).stages[0].custom_metrics == {"seen": 2}


def test_tasks_come_back_without_their_data_unless_asked_for():
    unit = Unit("u", 0, (), 1, [batch("a", "b")])
    stages = [processing_stage()(lambda b: b)]
    (light,) = Runner(Assignment("main", stages, None, False), 0).run(unit, Order()).tasks
    assert (light.data, light.num_items, light.get_columns()) == (None, 2, ["text"])
    (whole,) = Runner(Assignment("main", stages, None, True), 0).run(unit, Order()).tasks
    assert texts([whole]) == [["a", "b"]]


def test_every_stage_is_torn_down_though_one_fails():
    order = []

    class Step(ProcessingStage):
        def __init__(self, name, fails=False):
            self.name, self.fails = name, fails

        def process(self, task):
            return task

        def teardown(self):
            order.append(self.name)
            if self.fails:
                raise OSError("busy")

    runner = Runner(Assignment("main", [Step("a"), Step("b", fails=True), Step("c")], None, False), 0)
    runner.setup()
    with pytest.raises(StageError, match="stage 'b' could not be torn down: OSError: busy"):
        runner.teardown()
    assert order == ["c", "b", "a"]
