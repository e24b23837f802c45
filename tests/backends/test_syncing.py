"""Files are on disk before they count: what is synced when, and what becomes of a unit that is not."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from pathlib import Path

import orjson
import pytest

from gpucurate import InlineExecutor, LocalExecutor, Pipeline
from gpucurate.backends import syncing
from gpucurate.backends.reporter import Reporter
from gpucurate.backends.syncing import Syncer, UnitFiles, Unsynced
from gpucurate.spec.errors import StorageError
from gpucurate.spec.events import UnitDone, UnitFailed
from gpucurate.spec.unit import UnitResult
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import outputs, wait_for, write_corpus

ROWS = 4
LOG = "out/_gpucurate/commit.log"


class Disk(ProcessingStage):
    """Changes what the disk does in the worker that it is set up in, and may end that worker.

    Args:
        seconds: that a sync takes longer.
        error: what it ends with.
        marks: where a worker that ends leaves a list of the output; two of them end, at most.
        deadly: document at which it ends; at the first sync if None.
    """

    def __init__(self, seconds=0.0, error=0, marks=None, deadly=None):
        self.seconds, self.error, self.marks, self.deadly = seconds, error, marks, deadly

    def setup(self, worker_metadata=None):
        real = os.fsync

        def fsync(descriptor):
            if self.marks is not None and self.deadly is None:
                self.end()
            time.sleep(self.seconds)
            if self.error:
                raise OSError(self.error, os.strerror(self.error))
            real(descriptor)

        os.fsync = fsync

    def end(self):
        marks = Path(self.marks)
        if len(os.listdir(marks)) < 2:
            there = [*os.listdir(marks.parent / "out"), (marks.parent / LOG).read_text()]
            (marks / str(os.getpid())).write_text(repr(there))
            os.kill(os.getpid(), signal.SIGKILL)

    def process(self, batch):
        if self.deadly in set(batch.to_pandas()["id"]):
            self.end()
        return batch


@pytest.fixture
def marks(tmp_path):
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


def pipeline(folder, output, *stages):
    reader = JsonlReader(str(folder), fields=["id"], files_per_partition=1)
    return Pipeline("sync", stages=[reader, *stages, JsonlWriter(str(output))])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus") / "in", files=12, rows=ROWS)


@pytest.mark.parametrize("is_quick", [True, False], ids=["memory", "a disk"])
def test_a_file_is_synced_then_renamed_then_its_folder_synced_then_recorded(
    corpus, tmp_path, monkeypatch, is_quick
):
    monkeypatch.setattr(syncing, "QUICK_SECONDS", 10.0 if is_quick else 0.0)
    happened = []
    real_sync, real_move = os.fsync, os.replace

    def fsync(descriptor):
        real_sync(descriptor)
        happened.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))

    def move(source, target, **options):
        happened.append(("move", str(source)))
        real_move(source, target, **options)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", move)
    output = tmp_path / "out"
    pipeline(corpus, output).run(InlineExecutor())
    moves = [path for what, path in happened if what == "move" and "/attempts/" in path]
    assert len(moves) == 12
    for path in moves:
        at = happened.index(("move", path))
        assert ("sync", path) in happened[:at]
        folder = happened.index(("sync", str(output)), at)
        assert ("sync", str(output / "_gpucurate/commit.log")) in happened[folder:]


def test_a_worker_that_is_killed_before_its_file_is_synced_leaves_nothing_committed(corpus, tmp_path, marks):
    pipeline(corpus, tmp_path / "out", Disk(marks=str(marks))).run(LocalExecutor(workers=1))
    assert [mark.read_text() for mark in marks.iterdir()] == [repr(["_gpucurate", ""])] * 2
    assert outputs(tmp_path / "out") == outputs(corpus)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["a full disk", "a broken disk"])
@pytest.mark.parametrize("seconds", [0.0, 0.01], ids=["at once", "in a thread"])
def test_a_file_that_cannot_be_synced_fails_its_unit(corpus, tmp_path, error, seconds):
    with pytest.raises(StorageError, match=os.strerror(error)):
        pipeline(corpus, tmp_path / "out", Disk(seconds, error)).run(LocalExecutor(workers=1))
    assert outputs(tmp_path / "out") == {}
    assert (tmp_path / "out/_gpucurate/commit.log").read_bytes() == b""


def test_a_unit_that_waits_for_the_disk_is_not_blamed_for_the_death_of_its_worker(corpus, tmp_path, marks):
    stage = Disk(seconds=0.2, marks=str(marks), deadly=6 * ROWS)
    pipeline(corpus, tmp_path / "out", stage).run(LocalExecutor(workers=1))
    (log,) = (tmp_path / "out/_gpucurate/events").iterdir()
    events = [orjson.loads(line)[1] for line in log.read_bytes().splitlines()[1:]]
    deaths = [event["unit"] for event in events if event["event"] == "WorkerDied" and event["unit"]]
    assert len(deaths) == 2
    assert len(set(deaths)) == 1
    assert outputs(tmp_path / "out") == outputs(corpus)


class Slow:
    """A file whose sync waits to be told."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self.may_end = threading.Event()

    def fileno(self) -> int:
        return self.file.fileno()

    def close(self) -> None:
        self.may_end.wait(10)
        self.file.close()


@pytest.fixture
def syncer(monkeypatch):
    monkeypatch.setattr(syncing, "QUICK_SECONDS", 0.0)
    syncer = Syncer()
    yield syncer
    syncer.close()


def test_reports_keep_their_order_and_wait_for_their_files(tmp_path, syncer):
    sent = []
    reporter = Reporter(lambda packed: sent.extend(event.unit for event, _ in packed))
    files = []
    for name in ("a", "b", "c"):
        of_unit = UnitFiles(syncer)
        files.append(Slow(tmp_path / name))
        of_unit.sync(files[-1], tmp_path / name)
        result = UnitResult(name)
        reporter.add((UnitDone(1, name), result), Unsynced(result, of_unit, lambda: None))
    reporter.hurry()
    files[1].may_end.set()
    files[2].may_end.set()
    time.sleep(0.05)
    assert sent == []
    files[0].may_end.set()
    reporter.flush()
    assert sent == ["a", "b", "c"]


def test_a_report_of_a_file_that_cannot_be_synced_is_of_a_failure_and_the_attempt_is_undone(tmp_path, syncer):
    sent, undone = [], []
    reporter = Reporter(sent.extend)
    of_unit = UnitFiles(syncer)
    reading, _ = pipe = os.pipe()  # which cannot be synced
    of_unit.sync(os.fdopen(reading, "rb"), tmp_path / "a")
    result = UnitResult("a")
    reporter.add((UnitDone(1, "a"), result), Unsynced(result, of_unit, lambda: undone.append("a")))
    reporter.flush()
    ((event, _),) = sent
    assert isinstance(event, UnitFailed)
    assert event.kind == "storage"
    assert undone == ["a"]
    os.close(pipe[1])


def test_no_more_files_wait_for_the_disk_than_there_is_room_for(tmp_path, syncer, monkeypatch):
    monkeypatch.setattr(syncing, "MOST_FILES", 2)
    files = [Slow(tmp_path / str(i)) for i in range(3)]
    for file in files[:2]:
        syncer.submit(file, tmp_path / "x")
    third = threading.Thread(target=syncer.submit, args=(files[2], tmp_path / "x"))
    third.start()
    third.join(0.1)
    assert third.is_alive()
    for file in files:
        file.may_end.set()
    wait_for(lambda: not third.is_alive(), 5)


def test_a_worker_does_not_wait_for_its_first_files_but_looks_now_and_then_whether_syncing_is_quick(
    tmp_path, syncer, monkeypatch
):
    monkeypatch.setattr(syncing, "LOOK_AT", 2)
    monkeypatch.setattr(syncing, "QUICK_SECONDS", 10.0)
    files = [Slow(tmp_path / str(i)) for i in range(3)]
    first = syncer.submit(files[0], tmp_path / "0")
    assert not first.done()
    for file in files:
        file.may_end.set()
    assert [syncer.submit(file, tmp_path / "x") for file in files[1:]] == [None, None]
    first.result(10)
