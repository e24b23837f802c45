"""Memory that runs out and documents that cannot be done cost those documents and no others."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gpucurate.backends import recovery
from gpucurate.backends.journal import journal_path, read_journal
from gpucurate.checkpoint.rejects import read_rejects
from gpucurate.spec.errors import OverBudgetError, StageError
from gpucurate.spec.events import Order
from gpucurate.spec.suspect import Suspect
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.function_decorators import processing_stage
from gpucurate.tasks import DocumentBatch
from tests.backends.batches import checking, fitting, read, refusing, run, texts_of

LETTERS = list("abcdefghij")
BISECT = Order(4, bisect=True)


def rejected_in(result):
    (output,) = [o for o in result.outputs if "/rejects/" in o.name]
    return [(entry["path"], entry["row"], entry["reason"]) for entry in read_rejects(Path(output.attempt))]


def test_a_batch_that_does_not_fit_is_done_in_halves_in_order():
    tried = []
    small = checking(lambda texts: tried.append(len(texts)))
    result = run(fitting(3), small, tasks=[read(LETTERS)])
    assert texts_of(result.tasks) == LETTERS
    assert tried == [2, 3, 2, 3]
    assert (result.books.read, result.books.kept, result.books.balance) == (10, 10, 0)
    samples = result.figures.samples
    assert [sample.fitted for sample in samples] == [False, False, False]
    assert samples[0].nbytes > samples[1].nbytes > 0


def test_batches_given_together_are_first_given_apart():
    given = []

    class Together(ProcessingStage):
        batch_size = 4

        def process(self, task):
            raise AssertionError("process_batch is overridden")

        def process_batch(self, tasks):
            given.append([task.num_items for task in tasks])
            if sum(given[-1]) > 3:
                raise MemoryError
            return tasks

    tasks = [read(LETTERS[i : i + 2], i) for i in range(0, 8, 2)]
    assert texts_of(run(Together(), tasks=tasks).tasks) == LETTERS[:8]
    assert given == [[2, 2, 2, 2], [2, 2], [2], [2], [2, 2], [2], [2]]


def test_a_stage_whose_batches_must_stay_whole_is_not_given_halves():
    whole = fitting(3)
    whole.splittable = False
    with pytest.raises(MemoryError, match="no room for 10 rows"):
        run(whole, tasks=[read(LETTERS)])


def test_a_stage_that_holds_something_of_the_unit_is_not_called_again():
    class Collects(ProcessingStage):
        def process(self, task):
            raise MemoryError("half of it is written")

        def flush(self):
            return ()

    with pytest.raises(MemoryError, match="half of it is written"):
        run(Collects(), tasks=[read(LETTERS)])


def test_a_document_that_does_not_fit_fails_the_unit_while_others_work_beside_it(tmp_path):
    def check(texts):
        if "c" in texts:
            raise MemoryError("c is large")

    with pytest.raises(MemoryError, match="c is large"):
        run(checking(check), tasks=[read(LETTERS)], folder=tmp_path)
    result = run(checking(check), tasks=[read(LETTERS)], order=Order(3, alone=True), folder=tmp_path)
    assert texts_of(result.tasks) == [letter for letter in LETTERS if letter != "c"]
    assert result.books.rejected == {"oom": 1}
    assert rejected_in(result) == [("ü.jsonl", 2, "oom")]
    assert result.books.balance == 0


def test_what_an_attempt_held_is_gone_before_the_next():
    alive, found = [], []

    class Holds(ProcessingStage):
        def process(self, batch):
            found.append(sum(ref() is not None for ref in alive))
            work = np.zeros(10)
            cycle = [np.zeros(10)]
            cycle.append(cycle)
            alive.extend([weakref.ref(work), weakref.ref(cycle[0])])
            if batch.num_items > 3:
                raise MemoryError
            return batch

    gc.disable()
    try:
        run(Holds(), tasks=[read(LETTERS)])
    finally:
        gc.enable()
    assert found[1] == found[2] == 0


def test_a_generator_that_handed_something_on_is_not_begun_again():
    class Generates(ProcessingStage):
        def process(self, batch):
            yield batch.rows(0, 1)
            if batch.num_items > 3:
                raise MemoryError("after the first")
            yield batch.rows(1, batch.num_items)

    with pytest.raises(MemoryError, match="after the first"):
        run(Generates(), tasks=[read(LETTERS)])
    result = run(Generates(), tasks=[read(LETTERS)], order=BISECT)
    assert texts_of(result.tasks) == LETTERS
    assert (result.books.kept, result.books.added.total(), result.books.balance) == (10, 0, 0)


def test_what_fails_is_only_looked_for_when_that_is_asked_for(tmp_path):
    with pytest.raises(StageError, match=r"raised ValueError: cannot do \['c'\]"):
        run(refusing("c"), tasks=[read(LETTERS)], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_documents_that_fail_alone_are_rejected_with_their_place(tmp_path):
    before = processing_stage(name="first")(lambda b: b.select(np.arange(b.num_items) > 0))
    result = run(before, refusing("c", "h"), tasks=[read(LETTERS, 40)], order=BISECT, folder=tmp_path)
    assert texts_of(result.tasks) == list("bdefgij")
    assert result.books.rejected == {"poison": 2}
    assert result.books.dropped == {"first": 1}
    assert result.books.balance == 0
    assert rejected_in(result) == [("ü.jsonl", 42, "poison"), ("ü.jsonl", 47, "poison")]
    (entry, _) = read_rejects(next(tmp_path.iterdir()))
    assert entry["snippet"] == '{"text": "c"}'
    assert entry["detail"] == "stage 'checks' raised ValueError: cannot do ['c']"


def test_the_lines_of_the_others_stay_as_they_were_read():
    result = run(refusing("c"), tasks=[read(LETTERS)], order=BISECT)
    lines = [task._original.line(i) for task in result.tasks for i in range(task.num_items)]
    assert lines == [f'{{"text": "{letter}"}}'.encode() for letter in LETTERS if letter != "c"]
    assert np.concatenate([task.records for task in result.tasks]).tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]


def test_a_batch_made_in_memory_says_what_the_document_was(tmp_path):
    made = DocumentBatch("set", pa.table({"text": ["a", "bad"]}), "mine")
    result = run(refusing("bad"), tasks=[made], order=BISECT, folder=tmp_path)
    (entry,) = read_rejects(next(tmp_path.iterdir()))
    assert (entry["path"], entry["row"], entry["snippet"]) == ("mine", None, "{'text': 'bad'}")
    assert result.books.balance == 0


def test_what_a_stage_counted_in_a_call_that_failed_does_not_count():
    class Counts(ProcessingStage):
        def process(self, batch):
            for text in batch.to_pyarrow()["text"].to_pylist():
                self.count("seen")
                if text == "c":
                    raise ValueError("c")
            return batch

    result = run(Counts(), tasks=[read(LETTERS), read(LETTERS[:2], 10)], order=BISECT)
    assert result.stages[0].custom_metrics == {"seen": 11}


def test_an_error_that_is_not_of_the_documents_is_not_looked_for_among_them():
    tried = []

    def check(texts):
        tried.append(len(texts))
        raise StageError("the input changed in between", "checks")

    with pytest.raises(StageError, match="changed in between"):
        run(checking(check), tasks=[read(LETTERS)], order=BISECT)
    assert tried == [10]


def test_a_stage_that_can_do_none_of_its_documents_is_to_blame_and_not_they(tmp_path):
    with pytest.raises(StageError) as raised:
        run(refusing(*LETTERS), tasks=[read(LETTERS)], order=BISECT, folder=tmp_path)
    *_, count, last = str(raised.value).splitlines()
    assert count == "10 documents failed alone, 0 did not; the last:"
    assert last == "stage 'checks' raised ValueError: cannot do ['j']"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OverBudgetError, match="2 documents failed alone, 0 did not"):
        run(fitting(0), tasks=[read(["a", "b"])], order=BISECT)


def test_a_stage_that_begins_with_many_failures_is_given_up_soon():
    tried = []

    def check(texts):
        tried.append(len(texts))
        raise ValueError("always")

    with pytest.raises(StageError, match="65 documents failed alone"):
        run(checking(check), tasks=[read(map(str, range(5000)))], order=BISECT)
    assert len(tried) < 200


def test_a_unit_of_one_document_that_fails_is_one_of_a_bad_document():
    assert run(refusing("a"), tasks=[read(["a"])], order=BISECT).books.rejected == {"poison": 1}


def test_too_many_bad_documents_in_one_unit_are_a_bad_stage(monkeypatch):
    monkeypatch.setattr(recovery, "MOST_REJECTED", 5)
    with pytest.raises(StageError, match="6 documents failed alone, 1 did not"):
        run(refusing(*LETTERS[1:]), tasks=[read(LETTERS)], order=BISECT)


def test_the_journal_tells_what_was_done_when_the_worker_died(tmp_path):
    seen = []
    journal = journal_path(tmp_path, "u-0-4-7")
    look = checking(lambda texts: seen.append((len(texts), read_journal(journal))))
    result = run(look, look, tasks=[read(LETTERS), read(LETTERS[:3], 10)], order=BISECT, folder=tmp_path)
    assert seen == [
        (10, Suspect(0, 0, 0, 10)),
        (10, Suspect(1, 0, 0, 10)),
        (3, Suspect(0, 0, 10, 13)),
        (3, Suspect(1, 0, 10, 13)),
    ]
    assert result.books.kept == 13
    assert list(tmp_path.iterdir()) == []
    assert read_journal(journal) is None


def test_between_calls_the_journal_suspects_nobody(tmp_path):
    class Ends(ProcessingStage):
        def process(self, batch):
            return batch

        def flush(self):
            assert read_journal(journal_path(tmp_path, "u-0-4-7")) is None
            return ()

    run(checking(len), Ends(), tasks=[read(LETTERS)], order=BISECT, folder=tmp_path)


def test_a_record_that_was_never_written_suspects_nobody(tmp_path):
    (tmp_path / "u-journal").write_bytes(b"")
    assert read_journal(journal_path(tmp_path, "u")) is None


def test_suspects_are_done_in_parts_and_a_single_one_not_at_all(tmp_path):
    tried = []
    stage = checking(lambda texts: tried.append("".join(texts)))
    order = Order(5, bisect=True, suspects=(Suspect(0, 0, 10, 42), Suspect(0, 0, 5, 6), Suspect(1, 0, 0, 1)))
    letters = [chr(ord("0") + i) for i in range(50)]
    result = run(stage, tasks=[read(letters[:30]), read(letters[30:], 30)], order=order, folder=tmp_path)
    parts = [letters[i : i + 2] for i in range(10, 42, 2)]
    assert tried == ["".join(part) for part in [letters[:5], letters[6:10], *parts, letters[42:]]]
    assert texts_of(result.tasks) == letters[:5] + letters[6:]
    assert rejected_in(result) == [("ü.jsonl", 5, "poison")]
    assert result.books.balance == 0


def test_a_batch_without_rows_that_fails_is_nobodys_fault():
    def check(texts):
        raise ValueError("nothing there")

    with pytest.raises(StageError, match="nothing there"):
        run(checking(check), tasks=[read([])], order=BISECT)
