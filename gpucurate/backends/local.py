"""Worker processes on this machine."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

import cloudpickle

from gpucurate.backends.base import Report
from gpucurate.backends.runner import Assignment
from gpucurate.spec.events import WorkerDied
from gpucurate.spec.unit import Unit

STOP_SECONDS = 10.0
"""A worker that was told to stop may take so long to tear down."""


@dataclass(slots=True)
class _Process:
    process: subprocess.Popen[bytes]
    connection: Connection


class LocalBackend:
    """One process a worker, started afresh (never forked: the driver has threads).

    Args:
        assignment: what the workers run.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._payload = cloudpickle.dumps(assignment)
        self._processes: dict[int, _Process] = {}
        self._reports: deque[Report] = deque()

    @property
    def pids(self) -> dict[int, int]:
        """Process of each worker that lives."""
        return {worker: held.process.pid for worker, held in self._processes.items()}

    def spawn(self, worker: int) -> None:
        """Start a worker process."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "gpucurate.backends.worker_process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C goes to the driver alone
                env=_environment(),
            )
        connection = Connection(ours.detach())
        self._processes[worker] = _Process(process, connection)
        with contextlib.suppress(OSError):  # it died at once: poll reports it
            connection.send((worker, sys.path, self._payload))

    def dispatch(self, worker: int, unit: Unit, attempt: int) -> None:
        """Send a unit to a worker."""
        with contextlib.suppress(OSError):  # it died meanwhile: poll reports it
            self._processes[worker].connection.send_bytes(cloudpickle.dumps((unit, attempt)))

    def stop(self, worker: int) -> None:
        """Ask a worker to end."""
        with contextlib.suppress(OSError):
            self._processes[worker].connection.send(None)

    def poll(self, timeout: float) -> list[Report]:
        """Results that came in, and workers that died."""
        workers = {held.connection: worker for worker, held in self._processes.items()}
        for connection in wait(list(workers), timeout):
            worker = workers[connection]  # type: ignore[index]
            try:
                self._reports.append(pickle.loads(self._processes[worker].connection.recv_bytes()))
            except (EOFError, OSError):
                self._reports.append((WorkerDied(worker, self._bury(worker)), None))
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def _bury(self, worker: int) -> str:
        held = self._processes.pop(worker)
        held.connection.close()
        try:
            code = held.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            held.process.kill()
            code = held.process.wait()
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def close(self) -> None:
        """Kill the workers that still live."""
        for held in self._processes.values():
            held.process.kill()
            held.connection.close()
        for held in self._processes.values():
            held.process.wait()
        self._processes.clear()


def _environment() -> dict[str, str]:
    """One thread a worker in the libraries that would start one a core; no GPU for CPU workers."""
    single = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS"), "1"
    )
    return {**os.environ, **single, "CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": "1"}
