"""One suite for all executors: the same bytes, books and sentences, whatever carries them out."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pytest
import zstandard

from gpucurate import InlineExecutor, Pipeline
from gpucurate.spec.errors import InputError, QuarantinedError, StageError
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch
from tests.backends.corpus import outputs
from tests.conformance.stages import Always, Even, Length, Trouble, WholeTrouble


def pipeline(corpus, output, *stages):
    reader = JsonlReader(corpus, fields=["id", "text"], files_per_partition=1)
    return Pipeline("conformance", stages=[reader, *stages, JsonlWriter(output)])


@pytest.fixture
def expected(corpus, tmp_path):
    """What the executor of one process makes of a pipeline."""

    def run(*stages):
        report = pipeline(corpus, tmp_path / "expected", *stages).run(InlineExecutor()).report
        return outputs(tmp_path / "expected"), report.books, report.counts

    return run


def marks(folder, what):
    return len(list(folder.glob(f"{what}-*")))


def test_bytes_books_and_counts_are_the_same_and_a_second_run_does_nothing(
    corpus, tmp_path, variant, expected
):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    wanted = expected(Even(tmp_path / "a"), Length())
    result = pipeline(corpus, tmp_path / "out", Even(tmp_path / "b"), Length()).run(variant)
    report = result.report
    assert (outputs(tmp_path / "out"), report.books, report.counts) == wanted
    assert (report.books.read, report.books.kept, report.counts["seen"]) == (120, 60, 120)
    assert [task.num_items for task in result] == [1] * 6
    assert marks(tmp_path / "b", "process") == 6
    assert marks(tmp_path / "b", "node") == 1
    assert marks(tmp_path / "b", "setup") >= 1
    again = pipeline(corpus, tmp_path / "out", Even(tmp_path / "b"), Length()).run(variant).report
    assert (again.phases[0].resumed_units, again.books) == (6, report.books)
    assert marks(tmp_path / "b", "process") == 6


def test_a_document_that_a_stage_cannot_do_is_rejected_and_nothing_else(corpus, tmp_path, executor, expected):
    wanted, books, _ = expected(Trouble(tmp_path, "raise"))
    made = pipeline(corpus, tmp_path / "out", Trouble(tmp_path, "raise")).run(executor)
    assert made.report.books.rejected == {"poison": 1}
    assert (outputs(tmp_path / "out"), made.report.books) == (wanted, books)
    (rejects,) = (tmp_path / "out" / "_gpucurate" / "rejects").glob("*.zst")
    text = zstandard.ZstdDecompressor().decompressobj().decompress(rejects.read_bytes()).decode()
    assert text.count("poison") == 1


def test_a_unit_that_cannot_be_divided_is_set_aside_with_the_same_sentence(corpus, tmp_path, executor):
    said = "could not be done after 3 tries: stage 'WholeTrouble' raised ValueError: document 45 is bad"
    with pytest.raises(QuarantinedError, match=said):
        pipeline(corpus, tmp_path / "out", WholeTrouble(tmp_path, "raise")).run(executor)
    assert len(outputs(tmp_path / "out")) == 5


def test_a_fault_of_every_unit_ends_the_run_early(corpus, tmp_path, executor):
    with pytest.raises(StageError, match=r"stage 'Always' raised KeyError: 'id' .* failures in a row"):
        pipeline(corpus, tmp_path / "out", Always()).run(executor)
    assert not outputs(tmp_path / "out")


@pytest.mark.parametrize("fails", ["setup", "node"])
def test_a_set_up_that_fails_ends_the_run_with_the_same_sentence(corpus, tmp_path, executor, fails):
    with pytest.raises(StageError) as raised:
        pipeline(corpus, tmp_path / "out", Even(tmp_path, fails)).run(executor)
    where = " on this machine" if fails == "node" else ""
    assert f"stage 'Even' could not be set up{where}: OSError: no {fails} today" in str(raised.value)
    assert not marks(tmp_path, "process")


def test_a_worker_that_is_killed_costs_a_retry_and_nothing_else(corpus, tmp_path, variant, expected):
    if variant.describe() == "inline":
        pytest.skip("its worker is this process")
    wanted = expected(Trouble(tmp_path, "nothing"))
    report = pipeline(corpus, tmp_path / "out", Trouble(tmp_path, "die")).run(variant).report
    assert (tmp_path / "met").exists()
    assert (outputs(tmp_path / "out"), report.books, report.counts) == wanted
    assert report.phases[0].retries >= 1


def test_no_input_is_a_sentence_before_the_start(tmp_path, executor):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError):
        pipeline(tmp_path / "in", tmp_path / "out", Length()).run(executor)
    with pytest.raises(InputError, match="absent"):
        pipeline(tmp_path / "absent", tmp_path / "out", Length()).run(executor)


class Vanishing(JsonlReader):
    """Lists its input, which is gone when it is read."""

    def partition(self):
        units = super().partition()
        shutil.rmtree(self.gone)
        return units


def test_input_that_goes_after_it_was_listed_is_named(corpus, tmp_path, executor):
    reader = Vanishing(corpus, fields=["text"], files_per_partition=1)
    reader.gone = str(corpus)
    with pytest.raises(InputError, match=r"part-\d\d"):
        Pipeline("conformance", stages=[reader, Length(), JsonlWriter(tmp_path / "out")]).run(executor)


def test_tasks_in_memory_come_back_in_order_with_their_data(executor):
    given = [DocumentBatch("set", pa.table({"text": [f"{i}" * i, "x"]})) for i in range(5)]
    result = Pipeline("conformance", stages=[Length()]).run(executor, given, collect=True)
    assert [task.to_pandas()["length"].tolist() for task in result] == [[i, 1] for i in range(5)]


def test_it_says_what_it_is(executor):
    assert executor.describe().split()[0].strip(",:").lower() in (
        *("inline", "local", "ray", "dask", "xennaexecutor", "rayactorpoolexecutor"),
    )
