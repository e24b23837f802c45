"""A run is opened while its disk is slow: units are worked on, and none is final before the run itself is."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.spec.errors import StorageError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from tests.checkpoint.test_phase import PLAN, UNITS, result_of


class SlowDisk:
    """Takes as long as a test wants for what any thread but that of the test syncs.

    Attributes:
        may_go_on: set when it may.
        error: what its syncs then end with.
        waited: what the test's own thread has synced.
    """

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.error = 0
        self.waited: list[str] = []
        self._sync = os.fsync

    def fsync(self, descriptor: int) -> None:
        if threading.current_thread() is threading.main_thread():
            self.waited.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        elif not self.may_go_on.wait(10) or self.error:
            raise OSError(self.error, os.strerror(self.error))
        self._sync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    disk = SlowDisk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    yield disk
    disk.may_go_on.set()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_phase_is_opened_without_waiting_and_no_unit_is_final_before_it_is_on_disk(
    tmp_path: Path, disk: SlowDisk
) -> None:
    output = tmp_path / "out"
    with RunFolder(output, "test", {}) as folder, ThreadPoolExecutor(1) as committer:
        phase = Phase(folder, PLAN, UNITS)
        assert [Path(path).name.split(".")[1] for path in disk.waited] == ["epoch"]
        assert "run.json" not in names(folder.path)
        commit = committer.submit(phase.commit, [(UNITS[0], result_of(folder, UNITS[0]))])
        with pytest.raises(TimeoutError):
            commit.exception(0.1)
        assert names(output) == {"_gpucurate"}
        assert (folder.path / "commit.log").read_bytes() == b""
        disk.may_go_on.set()
        commit.result(10)
        assert {"run.json", "phases"} < names(folder.path)
        assert names(output) == {"_gpucurate", "sub"}
    with RunFolder(output, "test", {}) as folder:
        assert set(Phase(folder, PLAN, UNITS).done) == {UNITS[0].id}


def test_where_the_run_cannot_be_put_on_disk_no_unit_becomes_final_and_the_next_run_begins(
    tmp_path: Path, disk: SlowDisk
) -> None:
    output = tmp_path / "out"
    with pytest.raises(StorageError, match="Input/output error"), RunFolder(output, "test", {}) as folder:
        phase = Phase(folder, PLAN, UNITS)
        disk.error = errno.EIO
        disk.may_go_on.set()
        phase.commit([(UNITS[0], result_of(folder, UNITS[0]))])
    assert names(output) == {"_gpucurate"}
    assert (output / "_gpucurate/commit.log").read_bytes() == b""
    disk.error = 0
    with RunFolder(output, "test", {}) as folder:
        assert Phase(folder, PLAN, UNITS).done == {}


def test_a_record_waits_too_where_no_file_is_published(tmp_path: Path, disk: SlowDisk) -> None:
    with RunFolder(tmp_path, "test", {}) as folder, ThreadPoolExecutor(1) as committer:
        Phase(folder, PLAN, UNITS)
        append = committer.submit(folder.log.append, {"k": "other"})
        with pytest.raises(TimeoutError):
            append.exception(0.1)
        disk.may_go_on.set()
        append.result(10)


def test_whoever_asks_for_a_file_that_is_on_its_way_gets_it(tmp_path: Path, disk: SlowDisk) -> None:
    with RunFolder(tmp_path, "test", {}) as folder, ThreadPoolExecutor(1) as reader:
        folder.write_json_later("x.json", {"a": 1})
        asked = reader.submit(folder.read_json, "x.json")
        with pytest.raises(TimeoutError):
            asked.exception(0.1)
        disk.may_go_on.set()
        assert asked.result(10) == {"a": 1}


def test_a_driver_waits_for_its_epoch_its_last_records_and_the_end_and_for_nothing_else(
    tmp_path: Path, disk: SlowDisk
) -> None:
    disk.may_go_on.set()
    lines = [orjson.dumps({"id": n, "text": f"page {n % 7}"}) for n in range(20)]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    ExactDeduplicationWorkflow(tmp_path / "in", tmp_path / "out").run(InlineExecutor())
    state = str(tmp_path / "out/_gpucurate")
    of_driver = [path for path in disk.waited if "/attempts/" not in path and path.startswith(str(tmp_path))]
    pid = os.getpid()
    assert [path for path in of_driver if not path.endswith("commit.log")] == [
        f"{state}/.epoch.{pid}.tmp", f"{state}/.report.json.{pid}.tmp", f"{state}/.manifest.json.{pid}.tmp",
        state, f"{state}/._SUCCESS.{pid}.tmp", state,
    ]  # fmt: skip
    assert (tmp_path / "out/_gpucurate/_SUCCESS").exists()
