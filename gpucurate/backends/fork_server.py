"""The driver's end of a process that forks workers from what it has loaded."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

from gpucurate.backends.forking import ANSWER, BOOTSTRAP, EXIT, FORK, REQUEST, RUNNING

UNKNOWN = 256
"""In place of an exit code, where the process that knew it is gone."""

_POLL_SECONDS = 0.002

ANSWER_SECONDS = 120.0
"""It answers at once, but for the first time, when it may still be loading: after this it is hung."""


class ForkServer:
    """A process of one thread with the libraries and kernels of workers loaded, once for all of them.

    The driver itself has threads and perhaps a GPU, and must not be forked.

    Raises:
        OSError: it could not be started.
    """

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(ANSWER_SECONDS)
        try:
            with theirs:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-c", BOOTSTRAP, str(theirs.fileno()), *map(str, sys.path)],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C goes to the driver alone
                    env=worker_environment(),
                )
        except OSError:
            self._socket.close()
            raise

    def fork(self, descriptor: int) -> int:
        """Start a worker with an end of a socket; its process id.

        Raises:
            OSError: the server is gone, or could not fork.
        """
        socket.send_fds(self._socket, [REQUEST.pack(FORK, 0)], [descriptor])
        pid = self._answer()
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid

    def exit_code(self, pid: int) -> int | None:
        """How a worker ended, once: negative for a signal; None while it runs."""
        try:
            self._socket.sendall(REQUEST.pack(EXIT, pid))
            code = self._answer()
        except OSError:
            return UNKNOWN
        return None if code == RUNNING else code

    def wait(self, pid: int, timeout: float) -> int | None:
        """As :meth:`exit_code`, waiting ``timeout`` seconds at most."""
        deadline = time.monotonic() + timeout
        while (code := self.exit_code(pid)) is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return code

    def is_alive(self) -> bool:
        """Whether it can still fork."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the server; its workers are not touched."""
        self._socket.close()
        self.process.kill()
        self.process.wait()

    def _answer(self) -> int:
        try:
            answer = self._socket.recv(ANSWER.size, socket.MSG_WAITALL)
        except TimeoutError as error:
            self.process.kill()  # a late answer must not be taken for that to another question
            raise ConnectionError("the process that starts workers does not answer") from error
        if len(answer) < ANSWER.size:
            raise ConnectionError("the process that starts workers is gone")
        number: int = ANSWER.unpack(answer)[0]
        return number


_early: list[ForkServer] = []


def start_early() -> None:
    """Start the server that the next run will take, so that it loads while the run is planned."""
    if sys.executable and not _early:
        _early.append(ForkServer())


def fork_server() -> ForkServer:
    """The server that was started early, or a fresh one.

    Raises:
        OSError: it could not be started.
    """
    while _early:
        server = _early.pop()
        if server.is_alive():
            return server
        server.close()
    return ForkServer()


def worker_environment() -> dict[str, str]:
    """What workers are told through their environment.

    One thread a worker in the libraries that would start one a core, and no GPU for CPU workers. The C
    library keeps the memory of one piece of input for the next, which is a tenth of the time of a pass;
    both numbers are needed, and 32 MiB is the most that the first may be. Arrow's own pool gives back what is
    free at once: what it keeps otherwise is half of what a worker holds that reads and writes Parquet.
    """
    given = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    memory = {
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
        "MIMALLOC_PURGE_DELAY": "0",
    }
    return {**memory, **os.environ, **given, "CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": "1"}
