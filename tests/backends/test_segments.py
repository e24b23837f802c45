"""A unit on its way through the workers of several segments."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.backends.exchange import FolderExchange
from gpucurate.backends.runner import Assignment, Runner
from gpucurate.checkpoint.rejects import read_rejects
from gpucurate.io.listing import list_input
from gpucurate.io.ranges import group_ranges
from gpucurate.spec.books import Books
from gpucurate.spec.errors import ConfigurationError, InputLostError, StageError
from gpucurate.spec.events import Order
from gpucurate.spec.unit import Unit
from gpucurate.spec.worker import WorkerMetadata
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.deduplication.records import unit_records
from gpucurate.stages.function_decorators import processing_stage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch
from tests.backends.batches import checking, read, refusing, run, texts_of


class Line:
    """Workers of all segments, and what they made of one unit."""

    def __init__(self, folder: Path, *segments: list[ProcessingStage], **work) -> None:
        exchange = FolderExchange(folder / "parcels")
        attempts = folder / "run" / "attempts" / "1"
        attempts.mkdir(parents=True, exist_ok=True)
        last = len(segments) - 1
        firsts = accumulate((len(stages) for stages in segments), initial=0)
        assignments = [
            Assignment("main", stages, attempts, True, segment=k, first=first, is_first=k == 0,
                       is_last=k == last, exchange=exchange, **work)
            for k, (first, stages) in enumerate(zip(firsts, segments, strict=False))
        ]  # fmt: skip
        self.runners = [Runner(assignment, k) for k, assignment in enumerate(assignments)]
        self.exchange = exchange

    def run(self, unit, order=None):
        self.results, given = [], None
        for runner in self.runners:
            self.results.append(runner.run(unit, order or Order(), given))
            if given is not None:
                self.exchange.drop(given)
            given = self.results[-1].handed_on
        return self.results[-1].tasks

    @property
    def books(self):
        books = Books()
        for result in self.results:
            books.add(result.books)
        return books


def unit_of(*tasks):
    return Unit("u", 3, (), 1, list(tasks))


def half():
    return processing_stage(name="half")(lambda b: b.select(np.arange(b.num_items) % 2 == 0))


def test_a_unit_goes_from_worker_to_worker(tmp_path):
    line = Line(tmp_path, [half()], [half(), checking(len)], [half()])
    letters = [chr(ord("a") + i) for i in range(24)]
    assert texts_of(line.run(unit_of(read(letters)))) == ["a", "i", "q"]
    assert [(r.books.read, r.books.kept, r.books.balance) for r in line.results] == [
        (24, 0, 12),
        (0, 0, -6),
        (0, 3, -6),
    ]
    assert (line.books.read, line.books.kept, dict(line.books.dropped), line.books.balance) == (
        24, 3, {"half": 21}, 0,
    )  # fmt: skip
    assert [[s.stage_name for s in result.stages] for result in line.results] == [
        ["half"],
        ["half", "checks"],
        ["half"],
    ]
    assert [bool(result.tasks) for result in line.results] == [False, False, True]
    assert [result.figures.output_bytes > 0 for result in line.results] == [True, True, False]
    assert line.results[-1].handed_on is None
    assert os.listdir(tmp_path / "parcels") == []


def test_a_task_tells_what_stages_of_all_workers_did_to_it(tmp_path):
    (task,) = Line(tmp_path, [half()], [checking(len)]).run(unit_of(read(["a", "b"])))
    assert [perf.stage_name for perf in task._stage_perf] == ["half", "checks"]


def test_documents_that_the_second_worker_makes_are_added_once(tmp_path):
    twice = processing_stage(name="twice")(lambda b: [b, b])
    line = Line(tmp_path, [twice], [twice])
    assert len(texts_of(line.run(unit_of(read(["a", "b"]))))) == 8
    assert (line.books.read, line.books.kept, line.books.added) == (2, 8, {"twice": 6})
    assert line.books.balance == 0


def files(folder, *contents):
    for i, texts in enumerate(contents):
        lines = [f'{{"text": "{text}"}}\n' if text else "not JSON\n" for text in texts]
        (folder / f"{i}.jsonl").write_text("".join(lines))
    listing = list_input([folder])
    groups = group_ranges(listing, 10**6, None)
    return Unit("u", 3, tuple(groups), 1)


def test_files_are_read_by_the_first_and_written_by_the_last(tmp_path):
    (tmp_path / "in").mkdir()
    unit = files(tmp_path / "in", ["a", "", "b", "bad"], ["c", "d"])
    places = []

    class Places(ProcessingStage):
        def process(self, batch):
            places.extend(unit_records(batch, self.context).tolist())
            return batch

    def stages():
        return JsonlReader(tmp_path / "in"), Places(), refusing("bad"), JsonlWriter(tmp_path / "out")

    contents, rejects = [], []
    for cuts in ([4], [1, 3], [1, 2, 1], [1, 1, 1, 1], [2, 2]):
        left = list(stages())
        segments = [[left.pop(0) for _ in range(n)] for n in cuts]
        line = Line(tmp_path / str(cuts), *segments)
        line.run(unit, Order(4, bisect=True))
        made = [output for result in line.results for output in result.outputs]
        contents.append({o.name: Path(o.attempt).read_bytes() for o in made if "reject" not in o.name})
        found = [o for o in made if "reject" in o.name]
        assert len({o.name for o in found}) == len(found)
        entries = [entry for o in found for entry in read_rejects(Path(o.attempt))]
        rejects.append(sorted((e["path"], e["row"], e["reason"]) for e in entries))
        assert line.books.to_dict() == line.books.to_dict() | {"read": 6, "kept": 4}
        assert line.books.rejected == {"bad_json": 1, "poison": 1}
        assert line.books.balance == 0
        assert [t.records for result in line.results for t in result.tallies] == [4, 2]
    assert all(content == contents[0] for content in contents)
    assert contents[0] == {
        "0.jsonl": b'{"text": "a"}\n{"text": "b"}\n',
        "1.jsonl": b'{"text": "c"}\n{"text": "d"}\n',
    }
    assert rejects == [[("0.jsonl", 1, "bad_json"), ("0.jsonl", 3, "poison")]] * 5
    assert places == [0, 2, 3, 4, 5] * 5


def test_what_was_handed_on_and_is_gone_is_told(tmp_path):
    line = Line(tmp_path, [half()], [half()])
    unit = unit_of(read(["a", "b"]))
    handed_on = line.runners[0].run(unit, Order()).handed_on
    line.exchange.drop(handed_on)
    with pytest.raises(InputLostError):
        line.runners[1].run(unit, Order(), handed_on)


def test_a_worker_that_shares_units_needs_an_exchange():
    with pytest.raises(ConfigurationError, match=r"segment 1 of 'main' .* no exchange"):
        run(half(), tasks=[], segment=1, is_first=False)
    with pytest.raises(ConfigurationError, match="no exchange"):
        run(half(), tasks=[read(["a"])], is_last=False)


def test_a_failure_in_a_later_worker_leaves_nothing_of_its_own(tmp_path):
    line = Line(tmp_path, [half()], [refusing("a"), checking(len)], [half()])
    with pytest.raises(StageError):
        line.run(unit_of(read(["a", "b"])))
    attempts = tmp_path / "run" / "attempts" / "1"
    assert os.listdir(attempts) == []
    assert len(os.listdir(tmp_path / "parcels")) == 1  # of the first, for the next try


def test_batches_are_joined_and_cut_where_that_is_allowed(tmp_path):
    seen = []
    look = checking(lambda texts: seen.append(len(texts)))
    tasks = [read([f"{i:03d}"] * 10, 10 * i) for i in range(8)]
    size = tasks[0].nbytes
    Line(tmp_path, [checking(len)], [look], batch_bytes=3 * size).run(unit_of(*tasks))
    assert seen == [30, 30, 20]
    seen.clear()
    Line(tmp_path, [look], [look], batch_bytes=3 * size).run(unit_of(*tasks), Order(batch_cap=size // 2))
    assert seen == [5] * 16 + [5] * 16
    seen.clear()
    whole = Line(tmp_path, [look], [look], batch_bytes=3 * size, splittable=False)
    whole.run(unit_of(*tasks), Order(batch_cap=size // 2))
    assert seen == [10] * 16


def test_what_a_source_reads_is_cut_too(tmp_path):
    (tmp_path / "in").mkdir()
    unit = files(tmp_path / "in", [f"{i:03d}" for i in range(100)])
    seen = []
    look = checking(lambda texts: seen.append(len(texts)))
    Line(tmp_path, [JsonlReader(tmp_path / "in"), look]).run(unit, Order(batch_cap=1000))
    assert sum(seen) == 100
    assert max(seen) < 50


def test_figures_tell_what_the_worker_holds_and_how_long_it_took():
    def slow(texts):
        time.sleep(0.02)

    figures = run(checking(slow), tasks=[read(["a"])]).figures
    assert 0.02 <= figures.seconds < 5
    assert figures.memory > 10**7
    assert (figures.gpu_memory, figures.samples) == (0, ())


def test_figures_of_a_unit_that_failed_are_there_too():
    def check(texts):
        raise MemoryError

    runner = Runner(Assignment("main", [checking(check)], None, True), 0)
    with pytest.raises(MemoryError):
        runner.run(unit_of(read(["a", "b"])), Order())
    (first, _) = runner.figures.samples
    assert not first.fitted


def test_large_batches_are_measured():
    def work(texts):
        held.append(np.ones(8_000_000))  # 64 MB
        held.clear()

    held = []
    batch = DocumentBatch("set", pa.table({"text": ["x" * 1_000_000] * 40}))
    (sample,) = run(checking(work), tasks=[batch]).figures.samples
    assert sample.nbytes == batch.nbytes
    assert sample.fitted
    assert sample.peak is None or 50_000_000 < sample.peak - sample.nbytes < 200_000_000


def test_setup_is_told_of_the_worker_if_it_asks():
    told = []

    class Asks(ProcessingStage):
        def setup(self, worker_metadata=None):
            told.append(worker_metadata)

        def process(self, task):
            return task

    class DoesNot(Asks):
        def setup(self):
            told.append("nothing")

    class TakesAnything(Asks):
        def setup(self, *args, **kwargs):
            told.append(args)

    given = WorkerMetadata("w7", "node-1", ("0",), rank=1, world_size=2, address="127.0.0.1:4000")
    runner = Runner(Assignment("main", [Asks(), DoesNot(), TakesAnything()], None, False), 7, given)
    runner.setup()
    assert told == [given, "nothing", (given,)]
    runner = Runner(replace(runner.assignment, stages=[Asks()]), 8)
    runner.setup()
    assert told[-1] == WorkerMetadata("8")


class Refuses(ProcessingStage):
    """Raises on some documents, and has memory for a few."""

    def __init__(self, bad, rows):
        self.bad, self.rows = bad, rows

    def process(self, batch):
        texts = batch.to_pyarrow()["text"].to_pylist()
        if len(texts) > self.rows:
            raise MemoryError
        if self.bad & set(texts):
            raise ValueError("bad")
        return batch.select(np.ones(batch.num_items, bool))


class RefusesLate(Refuses):
    """The same, after it has handed some on; in groups."""

    def process(self, batch):
        for row in range(batch.num_items):
            yield batch.rows(row, row + 1)
        super().process(batch)


@pytest.fixture(scope="module")
def quick_collection():
    """What is there before the test is not looked through each time that memory runs out."""
    gc.freeze()
    yield
    gc.unfreeze()


rows_of_batches = st.lists(st.integers(0, 9), min_size=1, max_size=6)


@pytest.mark.usefixtures("quick_collection")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=rows_of_batches,
    bad=st.sets(st.integers(0, 53)),
    stage=st.sampled_from([Refuses, RefusesLate]),
    group=st.integers(1, 4),
    rows=st.integers(1, 20),
    cap=st.none() | st.integers(1, 2000),
    batch_bytes=st.none() | st.integers(1, 2000),
    apart=st.booleans(),
)
def test_every_document_comes_out_once_in_order_or_is_rejected(
    tmp_path, batches, bad, stage, group, rows, cap, batch_bytes, apart
):
    tasks, first = [], 0
    for n in batches:
        tasks.append(read([str(i) for i in range(first, first + n)], first))
        first += n
    picky = stage({str(i) for i in bad}, rows).with_(batch_size=group)
    before = checking(len)
    segments = [[before], [picky, checking(len)]] if apart else [[before, picky, checking(len)]]
    line = Line(tmp_path, *segments, batch_bytes=batch_bytes)
    order = Order(4, batch_cap=cap, bisect=True)
    if first > 1 and bad.issuperset(range(first)):
        with pytest.raises(StageError, match="documents failed alone, 0 did not"):
            line.run(unit_of(*tasks), order)
        return
    got = line.run(unit_of(*tasks), order)
    wanted = [i for i in range(first) if i not in bad]
    assert texts_of(got) == [str(i) for i in wanted]
    records = [task.records for task in got]
    assert (np.concatenate(records).tolist() if records else []) == wanted
    assert line.books.rejected == Counter(poison=first - len(wanted)) if first != len(wanted) else True
    assert (line.books.read, line.books.kept, line.books.balance) == (first, len(wanted), 0)
    found = [o for result in line.results for o in result.outputs]
    lines = [entry["row"] for o in found for entry in read_rejects(Path(o.attempt))]
    assert lines == [i for i in range(first) if i in bad]
    for output in found:
        Path(output.attempt).unlink()
