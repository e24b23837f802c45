"""Worker processes, and those of them that wait for other stages."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from gpucurate.backends.worker_process import BOOTSTRAP


@dataclass(slots=True)
class WorkerProcess:
    """A process and the socket to it.

    Attributes:
        process: the process; it leads a group of its own.
        connection: messages go and come through it.
        deadline: when it must have stopped, if it was told to.
    """

    process: subprocess.Popen[bytes]
    connection: Connection
    deadline: float | None = None

    def is_late(self) -> bool:
        """Whether it should have stopped by now."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def kill(self) -> None:
        """Kill the worker and what its stages have started."""
        if self.process.returncode is not None:
            return  # it was waited for, and its number may be another's by now
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the worker, close the socket and wait."""
        self.kill()
        self.connection.close()
        self.process.wait()

    @classmethod
    def start(cls) -> WorkerProcess:
        """A fresh process, never forked: the driver has threads.

        Raises:
            OSError: it could not be started.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-c", BOOTSTRAP, str(theirs.fileno()), *map(str, sys.path)],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C goes to the driver alone
                    env=_environment(),
                )
        except OSError:
            ours.close()
            raise
        return cls(process, Connection(ours.detach()))


class WorkerPool:
    """Processes whose stages are torn down, kept for the next phase with all that they have loaded."""

    def __init__(self) -> None:
        self._idle: list[WorkerProcess] = []

    def take(self) -> WorkerProcess:
        """A process that waits, or a fresh one.

        Raises:
            OSError: none could be started.
        """
        while self._idle:
            held = self._idle.pop()
            if held.process.poll() is None:
                return held
            held.end()
        return WorkerProcess.start()

    def give(self, held: WorkerProcess) -> None:
        """Keep a process that has torn its stages down."""
        held.deadline = None
        self._idle.append(held)

    def close(self) -> None:
        """End the processes that wait."""
        while self._idle:
            self._idle.pop().end()


def _environment() -> dict[str, str]:
    """One thread a worker in the libraries that would start one a core; no GPU for CPU workers."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **single, "CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": "1"}
