"""Runs as forks of one process that has loaded everything, so that killing some hundreds takes minutes.

A program of its own (:func:`main`), with one thread, so that a fork of it is a sound process; the tests'
end is :class:`Zygote`. A run's worker processes are forked likewise: the run begins by forking what forks
them.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

REPOSITORY = Path(__file__).parents[2]
HANGS = 120.0
"""Seconds after which a run hangs."""

_SERVERS = 3
_PACKAGES = (
    "gpucurate.checkpoint", "gpucurate.cli", "gpucurate.dedup", "gpucurate.io", "gpucurate.telemetry",
    "gpucurate.workflows",
)  # fmt: skip
_MODULES = (
    "gpucurate.ops.survivors.cpu", "gpucurate.ops.jaccard.cpu", "pandas", "pyarrow.parquet", "pydantic.main",
    "pydantic.type_adapter", "rich.live", "rich.progress", "rich.table", "tests.chaos.scenarios",
    "typer._adapters", "zoneinfo._tzpath", "s3fs",
)  # fmt: skip
"""What runs load, besides what it loads: found by what a run had loaded when it ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        code: its exit code; negative for a signal; None for a run that had to be ended since it hung.
        said: what it wrote to standard error.
    """

    code: int | None
    said: str

    @property
    def was_killed(self) -> bool:
        """Whether by SIGKILL."""
        return self.code == -signal.SIGKILL


class Zygote:
    """The process that runs are forked from.

    Args:
        environment: besides this process's.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        from gpucurate.backends.fork_server import worker_environment

        self._socket, theirs = socket.socketpair()
        paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**worker_environment(), "PYTHONPATH": paths, **(environment or {})},
            )
        self._answers = self._socket.makefile("r")
        self._said = Path(tempfile.mkdtemp(prefix="zygote-"))

    def start(
        self, scenario: str, corpus: Path, output: Path | str, workers: int = 0, **environment: str
    ) -> int:
        """Begin a run; its process id. It leads a session of its own.

        Args:
            scenario: of :data:`~tests.chaos.scenarios.SCENARIOS`.
            corpus: where it reads.
            output: where it writes: a folder, or a URL.
            workers: processes; 0 to work in the process itself.
            environment: of the run.
        """
        return int(self._ask("start", scenario, str(corpus), str(output), workers, environment))

    def wait(self, pid: int, patience: float = HANGS) -> Ended:
        """How a run ended."""
        code = self._ask("wait", pid, patience)
        said = self._said / str(pid)
        return Ended(code, said.read_text(errors="replace") if said.exists() else "")

    def run(
        self, scenario: str, corpus: Path, output: Path | str, workers: int = 0, **environment: str
    ) -> Ended:
        """A run from start to end."""
        return self.wait(self.start(scenario, corpus, output, workers, **environment))

    def _ask(self, *question: Any) -> Any:
        self._socket.sendall((json.dumps([str(self._said), *question]) + "\n").encode())
        return json.loads(self._answers.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._answers.close()
        self._socket.close()
        self._process.wait()
        for path in self._said.iterdir():
            path.unlink()
        self._said.rmdir()


def main(descriptor: int) -> None:
    """Load, then start runs and wait for them as asked, until nobody asks any more."""
    tests = socket.socket(fileno=descriptor)
    _load()
    assert threading.active_count() == 1
    for line in tests.makefile("r"):
        said, kind, *given = json.loads(line)
        answer = _start(tests, said, *given) if kind == "start" else _wait(*given)
        tests.sendall((json.dumps(answer) + "\n").encode())


def _load() -> None:
    import pkgutil

    for name in _PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            with suppress(ImportError):  # what needs a GPU's libraries
                importlib.import_module(module.name)
    from gpucurate.backends import forking
    from gpucurate.ops import warm_up
    from gpucurate.spec.progress import Silent
    from gpucurate.workflows.compiling import prepare, prepare_comparison

    for name in _MODULES:
        importlib.import_module(name)
    warm_up.warm_up()
    from gpucurate.dedup.sketch import MinHashSketch
    from gpucurate.ops.minhash import MinHashParams

    prepare(Silent(), MinHashSketch(MinHashParams()))
    prepare_comparison(Silent())
    forking._load()


def _start(
    tests: socket.socket,
    said: str,
    scenario: str,
    corpus: str,
    output: str,
    workers: int,
    given: dict[str, str],
) -> int:
    pid = os.fork()
    if pid == 0:
        tests.close()
        _become_run(f"{said}/{os.getpid()}", scenario, Path(corpus), output, workers, given)
    return pid


def _become_run(
    said: str, scenario: str, corpus: Path, output: str, workers: int, given: dict[str, str]
) -> NoReturn:
    code = 99
    try:
        os.setsid()
        os.environ.update(given)
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _arm()
        for _ in range(_SERVERS if workers else 0):
            _serve_early()
        from tests.chaos.scenarios import SCENARIOS

        code = SCENARIOS[scenario].start(corpus, output, workers)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _arm() -> None:
    """What is read from the environment when a process starts."""
    from gpucurate.disk import crash

    crash.arm(os.environ.get(crash.VARIABLE))
    if "GPUCURATE_FAULTS" in os.environ:
        ctypes.CDLL(None).faults_arm()


class _Forked:
    """As much of a ``Popen`` as what talks to it asks for, of a process that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = False

    def poll(self) -> int | None:
        if not self._ended:
            self._ended = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return 0 if self._ended else None

    def kill(self) -> None:
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        if not self._ended:
            os.waitpid(self.pid, 0)
            self._ended = True
        return 0


def _serve_early() -> None:
    """Fork what workers are forked from, while this process has one thread; the run will take it."""
    from gpucurate.backends import fork_server, forking

    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        ours.close()
        for server in fork_server._early:
            server._socket.close()
        workers: set[int] = set()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        with suppress(ConnectionError):
            forking._serve(theirs, workers)
        forking._end_all(workers)
    theirs.close()
    server = fork_server.ForkServer.__new__(fork_server.ForkServer)
    server._socket, server.process = ours, _Forked(pid)  # type: ignore[assignment]
    ours.settimeout(fork_server.ANSWER_SECONDS)
    fork_server._early.append(server)


def _wait(pid: int, patience: float) -> int | None:
    deadline, pause = time.monotonic() + patience, 0.001
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(0.02, pause * 1.2)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


if __name__ == "__main__":
    main(int(sys.argv[1]))
