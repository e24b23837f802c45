"""Pipelines under both executors: the same results, and the same answers to trouble."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
import zstandard

from gpucurate import InlineExecutor, LocalExecutor, Pipeline
from gpucurate.backends.cores import usable_cores
from gpucurate.spec.errors import ConfigurationError, QuarantinedError, StageError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch
from tests.backends.corpus import outputs, wait_for, write_corpus

EXECUTORS = {"inline": InlineExecutor, "local": lambda: LocalExecutor(workers=2)}


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "in")


@pytest.fixture(params=EXECUTORS)
def executor(request):
    return EXECUTORS[request.param]()


def pipeline(corpus: Path, output: Path, *stages: ProcessingStage, **options: object) -> Pipeline:
    reader = JsonlReader(corpus, fields=["id"], **{"files_per_partition": 1, **options})
    return Pipeline("test", stages=[reader, *stages, JsonlWriter(output)])


class Even(ProcessingStage):
    """Keeps documents with an even number, and counts what it has seen."""

    def inputs(self):
        return ["data"], ["id"]

    def process(self, batch):
        self.count("seen", batch.num_items)
        self.count("batches")
        return batch.select(batch.to_pandas()["id"].to_numpy() % 2 == 0)


class Trouble(Even):
    """Does something the first time, or each time, that it meets a document."""

    def __init__(self, folder: Path, document: int, what: str, *, always: bool = False):
        self.folder, self.document, self.what, self.always = str(folder), document, what, always

    def process(self, batch):
        made = super().process(batch)
        if self.document in batch.to_pyarrow()["id"].to_pylist() and self.is_time():
            if self.what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.what == "raise":
                raise ValueError(f"document {self.document}\nis bad")
            if self.what == "wait":
                time.sleep(60)
        return made

    def is_time(self) -> bool:
        mark = Path(self.folder) / "met"
        met = mark.exists()
        mark.write_text(str(os.getpid()))
        return self.always or not met


class WholeTrouble(Trouble):
    """The same, of a stage that must see its batches whole."""

    splittable = False


def test_executors_give_the_same_outputs_tasks_and_figures(corpus, tmp_path):
    runs = {}
    for name, make in {**EXECUTORS, "four": lambda: LocalExecutor(workers=4)}.items():
        output = tmp_path / name
        result = pipeline(corpus, output, Even()).run(make())
        tasks = [(task.task_id, [os.path.relpath(path, output) for path in task.data]) for task in result]
        assert all(task._stage_perf for task in result)
        runs[name] = outputs(output), tasks, result.report.counts, result.report.books
        assert result.report.phases[0].units == 6
    assert runs["inline"] == runs["local"] == runs["four"]
    assert runs["inline"][2] == {"seen": 120, "batches": 6}
    assert runs["inline"][3].kept == 60
    assert len(runs["inline"][0]) == 6


def test_segments_one_after_the_other_need_no_more_workers_than_were_asked_for(corpus, tmp_path):
    stages = [Even().with_(name=f"even {number}") for number in range(3)]
    config = {"execution_mode": "batch", "fuse": False}
    report = pipeline(corpus, tmp_path / "out", *stages).run(LocalExecutor(workers=2, config=config)).report
    scaled = [d.after for d in report.phases[0].decisions if d.what == "scale"]
    assert len(scaled) >= 5
    assert max(scaled) <= 2
    assert report.books.kept == 60


def test_a_killed_worker_costs_a_retry_and_no_count(corpus, tmp_path):
    clean = pipeline(corpus, tmp_path / "clean", Even()).run(InlineExecutor())
    stage = Trouble(tmp_path, 45, "wait")
    killed = []

    def kill() -> None:
        pid = int(wait_for(lambda: (tmp_path / "met").exists() and (tmp_path / "met").read_text()))
        assert pid in {child.pid for child in psutil.Process().children(recursive=True)}
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    result = pipeline(corpus, tmp_path / "out", stage).run(LocalExecutor(workers=2))
    killer.join()
    assert killed
    assert result.report.phases[0].retries == 1
    assert result.report.counts == clean.report.counts
    assert outputs(tmp_path / "out") == outputs(tmp_path / "clean")


def test_a_unit_that_always_kills_its_worker_is_set_aside_and_the_others_are_done(corpus, tmp_path):
    with pytest.raises(
        QuarantinedError, match="1 unit of work could not be done after 3 tries: killed by SIGKILL"
    ) as raised:
        pipeline(corpus, tmp_path / "out", WholeTrouble(tmp_path, 45, "die", always=True)).run(
            LocalExecutor(workers=2)
        )
    assert raised.value.exit_code == 8
    assert list(outputs(tmp_path / "out")) == [f"part-{i:02d}.jsonl" for i in (0, 1, 3, 4, 5)]
    state = tmp_path / "out" / "_gpucurate"
    assert not (state / "_SUCCESS").exists()
    report = json.loads((state / "report.json").read_text())
    assert report["counts"] == {"seen": 100, "batches": 5}
    assert [entry["kind"] for entry in report["quarantined"]] == ["died"]
    (described,) = (state / "quarantine").iterdir()
    assert json.loads(described.read_text())["reads"][0]["path"].endswith("part-02.jsonl")


@pytest.mark.parametrize("what", ["die", "raise"])
def test_the_one_document_that_a_stage_cannot_do_is_rejected_and_all_others_are_done(corpus, tmp_path, what):
    result = pipeline(corpus, tmp_path / "out", Trouble(tmp_path, 45, what, always=True)).run(
        LocalExecutor(workers=2)
    )
    books = result.report.books
    assert (books.read, books.rejected) == (120, {"poison": 1})
    clean = pipeline(corpus, tmp_path / "clean", Even()).run(InlineExecutor())
    assert books.kept + books.total_dropped == 119
    wanted = outputs(tmp_path / "clean")
    found = outputs(tmp_path / "out")
    lost = {name for name in wanted if wanted[name] != found[name]}
    assert lost <= {"part-02.jsonl"}
    assert clean.report.counts["seen"] == result.report.counts["seen"] + 1
    (rejects,) = (tmp_path / "out" / "_gpucurate" / "rejects").iterdir()
    assert "poison" in zstandard.ZstdDecompressor().decompressobj().decompress(rejects.read_bytes()).decode()


def test_an_exception_is_tried_again_and_then_set_aside_with_its_traceback(corpus, tmp_path, executor):
    said = "could not be done after 3 tries: stage 'WholeTrouble' raised ValueError: document 45 is bad"
    with pytest.raises(QuarantinedError, match=said):
        pipeline(corpus, tmp_path / "out", WholeTrouble(tmp_path, 45, "raise", always=True)).run(executor)
    (described,) = (tmp_path / "out" / "_gpucurate" / "quarantine").iterdir()
    values = json.loads(described.read_text())
    assert values["attempts"] == 3
    assert 'raise ValueError(f"document {self.document}' in values["why"]
    assert len(outputs(tmp_path / "out")) == 5
    # Once the stage can do it, the same command finishes the run and the description goes.
    (tmp_path / "met").write_text("")
    result = pipeline(corpus, tmp_path / "out", WholeTrouble(tmp_path, 45, "raise", always=True)).run(
        executor, ignore_failures=True
    )
    assert len(result.report.quarantined) == 1


def test_an_exception_that_passes_costs_a_retry(corpus, tmp_path, executor):
    result = pipeline(corpus, tmp_path / "out", Trouble(tmp_path, 45, "raise")).run(executor)
    assert result.report.phases[0].retries == 1
    assert result.report.counts == {"seen": 120, "batches": 6}
    assert not list((tmp_path / "out" / "_gpucurate").glob("attempts/*/*"))


def test_a_fault_of_every_unit_ends_the_run_early(corpus, tmp_path, executor):
    class Always(ProcessingStage):
        def process(self, batch):
            (tmp_path / f"try-{time.monotonic_ns()}").touch()
            raise KeyError("id")

    with pytest.raises(
        StageError, match=r"stage 'Always' raised KeyError: 'id' .* failures in a row"
    ) as raised:
        pipeline(corpus, tmp_path / "out", Always()).run(executor)
    assert 'raise KeyError("id")' in raised.value.__notes__[0]
    assert len(list(tmp_path.glob("try-*"))) <= 9


class Lifecycle(ProcessingStage):
    """Leaves a mark for each call."""

    def __init__(self, folder: Path, fails: str = ""):
        self.folder, self.fails = str(folder), fails

    def mark(self, what: str) -> None:
        (Path(self.folder) / f"{what}-{os.getpid()}-{time.monotonic_ns()}").touch()
        if what == self.fails:
            raise OSError(f"no {what} today")

    def setup_on_node(self, node_info=None, worker_metadata=None):
        self.mark("node")

    def setup(self, worker_metadata=None):
        self.model = "loaded"
        self.mark("setup")

    def process(self, batch):
        assert self.model == "loaded"
        self.mark("process")
        return batch

    def teardown(self):
        self.mark("teardown")


def marks(folder: Path, what: str) -> int:
    return len(list(folder.glob(f"{what}-*")))


def test_stages_are_set_up_once_a_worker_and_torn_down(corpus, tmp_path, executor):
    stage = Lifecycle(tmp_path)
    pipeline(corpus, tmp_path / "out", stage).run(executor)
    assert marks(tmp_path, "node") == 1
    assert marks(tmp_path, "process") == 6
    assert 1 <= marks(tmp_path, "setup") == marks(tmp_path, "teardown") <= 2
    assert not hasattr(stage, "model"), "the caller's stage is as it was"


@pytest.mark.parametrize("fails", ["setup", "node"])
def test_a_set_up_that_fails_ends_the_run_with_a_sentence(corpus, tmp_path, executor, fails):
    with pytest.raises(StageError) as raised:
        pipeline(corpus, tmp_path / "out", Lifecycle(tmp_path, fails)).run(executor)
    where = " on this machine" if fails == "node" else ""
    assert str(raised.value) == f"stage 'Lifecycle' could not be set up{where}: OSError: no {fails} today"
    assert "Traceback" in raised.value.__notes__[0]
    assert marks(tmp_path, "setup") == marks(tmp_path, "teardown")
    assert not marks(tmp_path, "process")


def test_a_tear_down_that_fails_costs_no_result(corpus, tmp_path, executor):
    said = []

    class Observer:
        def phase_started(self, *_):
            pass

        unit_committed = phase_ended = phase_started

        def trouble(self, message):
            said.append(message)

    result = pipeline(corpus, tmp_path / "out", Lifecycle(tmp_path, "teardown")).run(
        executor, observer=Observer()
    )
    assert result.report.books.kept == 120
    assert any("could not be torn down: OSError: no teardown today" in message for message in said)


class Groups(ProcessingStage):
    """Counts how many tasks it is given at a time."""

    batch_size = 4

    def process(self, task):
        return task

    def process_batch(self, tasks):
        self.count(f"groups of {len(tasks)}")
        return tasks


def test_stages_get_as_many_tasks_as_they_asked_for(corpus, tmp_path, executor):
    result = pipeline(corpus, tmp_path / "out", Groups()).run(executor)
    assert result.report.counts == {"groups of 4": 1, "groups of 2": 1}
    assert result.report.phases[0].units == 2
    assert len(outputs(tmp_path / "out")) == 6


def test_bytes_in_flight_stay_within_the_budget(tmp_path):
    corpus = write_corpus(tmp_path / "in", files=24, rows=200, size=4000)
    sizes = [path.stat().st_size for path in corpus.iterdir()]
    memory = 3 * 160 * 2**20 + 3 * 6 * max(sizes)  # the driver, two workers and what they may hold
    result = pipeline(corpus, tmp_path / "out", Even()).run(LocalExecutor(workers=8, memory=memory))
    phase = result.report.phases[0]
    assert phase.units == 24
    assert 6 * max(sizes) <= phase.peak_bytes_in_flight <= memory
    assert phase.peak_bytes_in_flight <= memory - 160 * 2**20 * 3
    alone = pipeline(corpus, tmp_path / "alone", Even()).run(LocalExecutor(workers=8, memory="1MB"))
    assert alone.report.phases[0].peak_bytes_in_flight == 6 * max(sizes)


def test_what_cannot_be_pickled_is_told_before_any_worker_starts(corpus, tmp_path):
    class Locked(Even):
        def __init__(self):
            self.lock = threading.Lock()

    with pytest.raises(ConfigurationError, match="stage 'Locked' cannot be sent to a worker process"):
        pipeline(corpus, tmp_path / "out", Locked()).run(LocalExecutor(workers=1))
    pipeline(corpus, tmp_path / "inline", Locked()).run(InlineExecutor())


class OnlyHere:
    """Loads in this process and in no other."""

    def __init__(self, pid):
        self.pid = pid
        if pid != os.getpid():
            raise RuntimeError("another process")

    def __reduce__(self):
        return OnlyHere, (self.pid,)


def test_tasks_that_cannot_travel_are_a_sentence_and_no_hang():
    tasks = [
        DocumentBatch("set", pa.table({"id": [i]}), _metadata={"x": OnlyHere(os.getpid())}) for i in range(2)
    ]
    run = Pipeline("test", stages=[Even()])
    with pytest.raises(QuarantinedError, match="RuntimeError: another process"):
        run.run(LocalExecutor(workers=1), tasks)
    for task in tasks:
        task._metadata = {"lock": threading.Lock()}
    with pytest.raises(ConfigurationError, match="cannot be sent to a worker"):
        run.run(LocalExecutor(workers=1), tasks)

    class Locks(ProcessingStage):
        def process(self, task):
            task._metadata["lock"] = threading.Lock()
            return task

    with pytest.raises(QuarantinedError, match="cannot pickle"):
        Pipeline("test", stages=[Locks()]).run(
            LocalExecutor(workers=1), [DocumentBatch("set", pa.table({"id": [1]}))], collect=True
        )


def test_large_tasks_go_both_ways():
    class Double(ProcessingStage):
        def process(self, batch):
            return [batch, batch]

    given = [DocumentBatch("set", pa.table({"text": [f"{i}" * 8_000_000]})) for i in range(4)]
    result = Pipeline("test", stages=[Double()]).run(LocalExecutor(workers=2), given, collect=True)
    assert [len(task.to_pyarrow()["text"][0].as_py()) for task in result] == [8_000_000] * 8


def test_a_stage_that_ends_its_process_is_a_death():
    class Leaves(ProcessingStage):
        def process(self, batch):
            os._exit(0)

    with pytest.raises(QuarantinedError, match="ended with exit code 0"):
        Pipeline("test", stages=[Leaves()]).run(
            LocalExecutor(workers=1), [DocumentBatch("set", pa.table({"id": [1]}))]
        )


def test_what_stages_start_ends_with_the_run():
    class Starts(ProcessingStage):
        def process(self, batch):
            batch._metadata["pid"] = subprocess.Popen(["sleep", "60"]).pid
            return batch

    result = Pipeline("test", stages=[Starts()]).run(
        LocalExecutor(workers=1), [DocumentBatch("set", pa.table({"id": [1]}))], collect=True
    )
    pid = result[0]._metadata["pid"]
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 5)


def test_a_run_outside_the_main_thread_is_a_run(corpus, tmp_path, executor):
    results = []
    thread = threading.Thread(
        target=lambda: results.append(pipeline(corpus, tmp_path / "out", Even()).run(executor))
    )
    thread.start()
    thread.join()
    assert results[0].report.books.kept == 60


def test_cores_are_those_of_the_container(tmp_path):
    quota = tmp_path / "cpu.max"
    allowed = len(os.sched_getaffinity(0))
    assert usable_cores(tmp_path / "absent") == allowed
    for text, cores in [("max 100000", allowed), ("50000 100000", 1), ("150000 100000", min(2, allowed))]:
        quota.write_text(text)
        assert usable_cores(quota) == cores


@pytest.mark.parametrize("options", [{"workers": 0}, {"memory": "plenty"}, {"memory": 0}])
def test_executors_refuse_what_is_not_possible(options):
    with pytest.raises(ConfigurationError):
        LocalExecutor(**options)
