from __future__ import annotations

import os
import signal
import socket

import psutil
import pyarrow as pa
import pytest

from gpucurate.backends import early, fork_server
from gpucurate.backends.executors import LocalExecutor
from gpucurate.backends.fork_server import UNKNOWN, ForkServer
from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.tasks.document import DocumentBatch
from tests.backends.corpus import wait_for


@pytest.fixture(scope="module")
def server():
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def forked(server):
    """A worker: its process id and our end of its socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = server.fork(theirs.fileno())
        theirs.close()
        yield pid, ours
        ours.close()
        assert server.wait(pid, 10) is not None


def test_a_worker_is_forked_with_what_the_server_has_loaded(server, forked):
    pid, _ = forked
    assert psutil.Process(pid).ppid() == server.process.pid
    assert os.getpgid(pid) == pid
    assert server.exit_code(pid) is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_how_a_worker_ended_is_told_by_the_server(server, number):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = server.fork(theirs.fileno())
        os.kill(pid, number)
        assert server.wait(pid, 10) == -number


def test_a_worker_ends_with_the_socket_to_the_driver(server, forked):
    pid, ours = forked
    ours.close()
    wait_for(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 10)


def test_a_driver_that_dies_before_its_answer_leaves_no_worker_behind():
    server = ForkServer()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker = psutil.Process(server.fork(theirs.fileno()))
        worker.suspend()  # one that cannot see its driver go
        server.process.send_signal(signal.SIGSTOP)
        server._socket.sendall(fork_server.REQUEST.pack(fork_server.EXIT, worker.pid))
        server._socket.close()
        server.process.send_signal(signal.SIGCONT)
        assert server.process.wait(10) == 0
        wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 10)


def test_a_server_that_is_gone_forks_nothing_and_knows_nothing():
    server = ForkServer()
    server.process.kill()
    server.process.wait()
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(OSError, match=r"gone|[Bb]roken pipe|reset"):
        server.fork(theirs.fileno())
    assert server.exit_code(1) == UNKNOWN
    assert not server.is_alive()
    server.close()


class KillsItsServer(ProcessingStage):
    """Kills what it was forked from, and itself, the first time."""

    def __init__(self, mark):
        self.mark = str(mark)

    def process(self, batch):
        if not os.path.exists(self.mark):
            open(self.mark, "w").close()
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return batch


def test_a_killed_server_costs_a_retry(tmp_path):
    tasks = [DocumentBatch("set", pa.table({"id": [i]})) for i in range(3)]
    run = Pipeline("test", stages=[KillsItsServer(tmp_path / "mark")])
    result = run.run(LocalExecutor(workers=1), tasks)
    assert [task.num_items for task in result] == [1, 1, 1]
    assert result.report.phases[0].retries == 1


@pytest.fixture
def no_server_yet():
    def close() -> None:
        while fork_server._early:
            fork_server._early.pop().close()

    close()
    yield
    close()


@pytest.mark.parametrize(
    ("given", "starts"),
    [
        ("dedup exact large.jsonl -o out", True),
        ("dedup fuzzy folder", True),
        ("dedup exact fold*/**/*.jsonl", True),
        ("dedup exact s3://bucket/key.jsonl", True),
        ("dedup exact small.jsonl absent.jsonl", False),
        ("dedup exact large.jsonl --dry-run", False),
        ("dedup exact --help", False),
        ("large.jsonl", False),
        ("", False),
    ],
)
def test_workers_load_early_where_there_will_be_some(no_server_yet, tmp_path, monkeypatch, given, starts):
    monkeypatch.setattr(early, "usable_cores", lambda: 2)
    (tmp_path / "folder" / "below").mkdir(parents=True)
    for name, size in [("large.jsonl", 64 << 20), ("small.jsonl", 100), ("folder/below/a.jsonl", 64 << 20)]:
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    monkeypatch.chdir(tmp_path)
    early.start_early_for(given.split())
    assert bool(fork_server._early) == starts


def test_a_run_takes_the_server_that_was_started_early(no_server_yet):
    fork_server.start_early()
    (started,) = fork_server._early
    assert fork_server.fork_server() is started
    fork_server._early.append(started)
    started.process.kill()
    started.process.wait()
    fresh = fork_server.fork_server()
    assert fresh is not started
    fresh.close()
