"""What workers are forked from, forked itself from a process that has loaded everything once for all tests.

A run with workers starts a process that loads for a second before it forks them (``ForkServer``); hundreds of
tests have such runs. Here that process is a fork as well, made by clone(2) with CLONE_PARENT: a child of the
tests' process, as one that was started is, which then runs the same program. Where it would not be the same,
for what a process gets as it starts (variables, limits, cores, ``sys.path``), one is started after all.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

from gpucurate.backends import fork_server, forking
from gpucurate.backends.fork_server import ForkServer

_PROGRAM = (
    "import sys; fd, *sys.path = sys.argv[1:]; from gpucurate.backends.forking import _load; _load(); "
    "from tests.servers import main; main(int(fd))"
)
_LONGEST = 1 << 16
_CLONE_PARENT = 0x00008000
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())
_LIMITS = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_AS)
_CHANGES = {"PYTEST_CURRENT_TEST", "COLUMNS", "LINES"}
"""Variables that differ from test to test and that no worker reads."""


def _surroundings() -> list[Any]:
    told = fork_server.worker_environment()
    variables = {name: value for name, value in told.items() if name not in _CHANGES}
    return [variables, list(sys.path), os.sched_getaffinity(0), list(map(resource.getrlimit, _LIMITS))]


class _Child:
    """As much of ``subprocess.Popen`` as a ``ForkServer`` needs, of a child that another process made."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.001)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class Servers:
    """Gives runs of this process what they fork workers from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = _surroundings()
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), *map(str, sys.path)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=fork_server.worker_environment(),
            )

    def take(self) -> ForkServer:
        """A server for a run: one that was started early, or a fork; a fresh one where those differ."""
        if fork_server._early or _SYS_CLONE is None or _surroundings() != self._known:
            return fork_server.fork_server()
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            if (
                self._process is None or self._process.poll() is not None
            ):  # whoever ends all children of this process ended it too
                self._start()
            socket.send_fds(self._socket, [json.dumps(os.getcwd()).encode()], [theirs.fileno(), 2])
            pid = int(self._socket.recv(_LONGEST))
        ours.settimeout(fork_server.ANSWER_SECONDS)
        server = ForkServer.__new__(ForkServer)
        server._socket, server.process = ours, _Child(pid)  # type: ignore[assignment]
        return server

    def close(self) -> None:
        """End the process that forks them, if there is one."""
        if self._process is not None:
            self._socket.close()
            self._process.wait()


def main(descriptor: int) -> None:
    """Fork a server for each that is asked for, until nobody asks any more.

    Args:
        descriptor: of the socket to the tests.
    """
    tests = socket.socket(fileno=descriptor)
    while True:
        asked, descriptors, _, _ = socket.recv_fds(tests, _LONGEST, 2)
        if not asked:
            os._exit(0)
        forking._load()  # kernels that were compiled since the last time
        pid = _clone()
        if pid == 0:
            tests.close()
            _serve(json.loads(asked), *descriptors)
        for each in descriptors:
            os.close(each)
        tests.send(str(pid).encode())


def _clone() -> int:
    """``os.fork``, but the child's parent is this process's own."""
    here = ctypes.PyDLL(None)
    here.PyOS_BeforeFork()
    pid: int = here.syscall(_SYS_CLONE, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        here.PyOS_AfterFork_Child()
    else:
        here.PyOS_AfterFork_Parent()
    return pid


def _serve(folder: str, driver: int, error: int) -> None:
    """What a server is when it was started, then its program."""
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(error, 2)
        os.close(error)
        forking.main(driver)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(1)
