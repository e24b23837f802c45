"""Whole pipelines on Ray: the same bytes as anywhere, whatever dies meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'gpucurate[ray]'")

from gpucurate import InlineExecutor, Pipeline
from gpucurate.backends.ray.executor import RayExecutor
from gpucurate.spec.errors import ConfigurationError, StageError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import outputs, write_corpus
from tests.ray.conftest import ray_processes

FILES = 10


class Third(ProcessingStage):
    """Drops every third document, slowly, and leaves its process's number in a folder."""

    def __init__(self, seconds: float = 0.0, folder: str = "") -> None:
        self.seconds, self.folder = seconds, folder

    not_in_plan = ("seconds", "folder")

    def process(self, batch):
        if self.folder:
            Path(self.folder, str(os.getpid())).touch()
        time.sleep(self.seconds)
        return batch.select(batch.to_pandas()["id"].to_numpy() % 3 != 0)


class Told(ProcessingStage):
    """Writes a variable of its environment into the text."""

    runtime_env = {"env_vars": {"GREETING": "hello "}}

    def inputs(self):
        return ["data"], ["text"]

    def process(self, batch):
        return batch.assign({"text": os.environ.get("GREETING", "") + batch.to_pandas()["text"].str.upper()})


class Fatal(ProcessingStage):
    """Ends its process at one document."""

    def process(self, batch):
        if 77 in batch.to_pandas()["id"].tolist():
            os.kill(os.getpid(), signal.SIGKILL)
        return batch


class Unready(ProcessingStage):
    """Cannot be set up."""

    def setup(self, worker_metadata=None):
        raise OSError("no weights")

    def process(self, batch):
        return batch


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus") / "in", files=FILES)


@pytest.fixture(scope="module")
def clean(corpus, tmp_path_factory):
    """What a run without Ray writes."""
    folder = tmp_path_factory.mktemp("clean") / "out"
    run(corpus, folder, InlineExecutor())
    return outputs(folder)


def run(corpus, folder, executor, *stages):
    reader = JsonlReader(str(corpus), fields=["id", "text"], files_per_partition=1)
    pipeline = Pipeline("p", stages=[reader, *(stages or [Third()]), JsonlWriter(str(folder))])
    return pipeline.run(executor)


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "apart"])
def test_outputs_are_the_same_as_without_ray(cluster, corpus, clean, tmp_path, fuse):
    result = run(corpus, tmp_path / "out", RayExecutor(workers=3, config={"fuse": fuse}))
    assert outputs(tmp_path / "out") == clean
    assert result.report.books.kept == 133


def test_a_stage_may_have_variables_of_its_own(cluster, corpus, tmp_path):
    run(corpus, tmp_path / "out", RayExecutor(workers=3), Third(), Told())
    written = (tmp_path / "out" / "part-00.jsonl").read_text()
    assert "hello 0-1 WORD" in written


def kill_workers(folder: Path, stop: threading.Event, killed: list[int]) -> None:
    """Kill one that is at a unit every now and then; those that start are left alone: they take seconds."""
    while not stop.wait(0.7) and len(killed) < 5:
        for path in list(folder.iterdir())[:1]:
            path.unlink()
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.name), signal.SIGKILL)
                killed.append(int(path.name))


def test_workers_that_are_killed_all_the_time_change_nothing(cluster, corpus, clean, tmp_path):
    stop, killed, begun = threading.Event(), [], tmp_path / "begun"
    begun.mkdir()
    killer = threading.Thread(target=kill_workers, args=(begun, stop, killed))
    executor = RayExecutor(workers=2, config={"max_attempts": 50})
    killer.start()
    try:
        result = run(corpus, tmp_path / "out", executor, Third(0.3, str(begun)))
    finally:
        stop.set()
        killer.join()
    assert killed
    assert outputs(tmp_path / "out") == clean
    assert (result.report.books.kept, result.report.books.read) == (133, 200)


def test_the_document_that_kills_is_found_and_rejected_and_the_rest_is_kept(cluster, corpus, tmp_path):
    result = run(corpus, tmp_path / "out", RayExecutor(workers=2), Fatal())
    assert result.report.books.rejected == {"poison": 1}
    assert result.report.books.kept == 199


def test_a_setup_that_fails_ends_the_run_with_its_reason(cluster, corpus, tmp_path):
    with pytest.raises(StageError, match="'Unready' could not be set up: OSError: no weights"):
        run(corpus, tmp_path / "out", RayExecutor(workers=2), Unready())


def test_no_worker_is_left_and_the_cluster_goes_on(cluster, corpus, tmp_path):
    import ray

    executor = RayExecutor(workers=2)
    run(corpus, tmp_path / "out", executor)
    executor.close()
    assert ray.is_initialized()
    deadline = time.monotonic() + 20
    while any(process.name().startswith("ray::Worker") for process in ray_processes()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_no_input_is_told_as_it_is_elsewhere(cluster, tmp_path):
    from gpucurate.spec.errors import InputError

    (tmp_path / "in").mkdir()
    with pytest.raises(InputError):
        run(tmp_path / "in", tmp_path / "out", RayExecutor(workers=2))


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ConfigurationError, match="0 workers"):
        RayExecutor(workers=0)
    with pytest.raises(ConfigurationError, match="'ray_adress'"):
        RayExecutor(config={"ray_adress": "auto"})
