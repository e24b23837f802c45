"""Worker processes on this machine."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

import cloudpickle

from gpucurate.backends.base import Report
from gpucurate.backends.runner import Assignment, failure_of
from gpucurate.backends.worker_process import BOOTSTRAP
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.events import SetupFailed, UnitFailed, WorkerDied
from gpucurate.spec.unit import Unit

STOP_SECONDS = 10.0
"""A worker that was told to stop may take so long to tear down."""

_STOP = b""


@dataclass(slots=True)
class _Process:
    process: subprocess.Popen[bytes]
    connection: Connection
    deadline: float | None = None

    def is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def kill(self) -> None:
        """Kill the worker and what its stages have started: it leads a group of its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class LocalBackend:
    """One process a worker, started afresh (never forked: the driver has threads).

    Args:
        assignment: what the workers run.

    Raises:
        ConfigurationError: a stage cannot be pickled, or Python does not know its own program.
    """

    def __init__(self, assignment: Assignment) -> None:
        if not sys.executable:
            raise ConfigurationError(
                "this Python does not know its own program (sys.executable is empty), so no worker "
                "process can be started: use InlineExecutor, or set sys.executable"
            )
        self._payload = _pickled(assignment)
        self._processes: dict[int, _Process] = {}
        self._reports: deque[Report] = deque()

    @property
    def pids(self) -> dict[int, int]:
        """Process of each worker that lives."""
        return {worker: held.process.pid for worker, held in self._processes.items()}

    def spawn(self, worker: int) -> None:
        """Start a worker process."""
        try:
            held = self._processes[worker] = _start()
        except OSError as error:
            self._reports.append((WorkerDied(worker, f"could not be started: {error}"), None))
            return
        with contextlib.suppress(OSError):  # it died at once: poll reports it
            held.connection.send_bytes(pickle.dumps((worker, self._payload)))

    def dispatch(self, worker: int, unit: Unit, attempt: int) -> None:
        """Send a unit to a worker."""
        try:
            packed = cloudpickle.dumps(unit)
        except Exception as error:
            why = f"the tasks of the unit cannot be sent to a worker: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(worker, unit.id, "configuration", why), None))
            return
        # In two steps, so that a worker that cannot load the tasks still knows which unit it was.
        self._send(worker, pickle.dumps((unit.id, attempt, packed)))

    def stop(self, worker: int) -> None:
        """Ask a worker to end."""
        self._send(worker, _STOP)
        self._limit(worker)

    def _send(self, worker: int, message: bytes) -> None:
        held = self._processes.get(worker)
        if held is not None:  # else it died meanwhile, and the report of that is under way
            with contextlib.suppress(OSError):  # so here
                held.connection.send_bytes(message)

    def _limit(self, worker: int) -> None:
        if held := self._processes.get(worker):
            held.deadline = held.deadline or time.monotonic() + STOP_SECONDS

    def poll(self, timeout: float) -> list[Report]:
        """Results that came in, and workers that died."""
        workers = {held.connection: worker for worker, held in self._processes.items()}
        for connection in wait(list(workers), 0 if self._reports else timeout):
            self._receive(workers[connection])  # type: ignore[index]
        for held in self._processes.values():
            if held.is_late():
                held.kill()
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def _receive(self, worker: int) -> None:
        try:
            message = self._processes[worker].connection.recv_bytes()
        except (EOFError, OSError):
            self._reports.append((WorkerDied(worker, self._bury(worker)), None))
            return
        event, packed = pickle.loads(message)
        if isinstance(event, SetupFailed | WorkerDied):
            self._limit(worker)
        try:
            self._reports.append((event, pickle.loads(packed)))
        except Exception as error:  # a class of the user's that loads in a worker and not here
            why = f"the tasks of the unit cannot be loaded in the driver: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(worker, event.unit, "user", why), None))

    def _bury(self, worker: int) -> str:
        held = self._processes.pop(worker)
        held.connection.close()
        try:
            code = held.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            held.kill()
            code = held.process.wait()
        if held.is_late():
            return f"was killed: it did not stop within {STOP_SECONDS:.0f} s"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return "stopped" if code == 0 and held.deadline else f"ended with exit code {code}"

    def close(self) -> None:
        """Kill the workers that still live."""
        for held in self._processes.values():
            held.kill()
            held.connection.close()
        for held in self._processes.values():
            held.process.wait()
        self._processes.clear()


def _start() -> _Process:
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
    return _Process(process, Connection(ours.detach()))


def _pickled(assignment: Assignment) -> bytes:
    for stage in assignment.stages:
        try:
            cloudpickle.dumps(stage)
        except Exception as error:
            raise ConfigurationError(
                f"stage {stage.name!r} cannot be sent to a worker process ({type(error).__name__}: {error}): "
                "open files, connections and models in setup(), or use InlineExecutor"
            ) from error
    payload: bytes = cloudpickle.dumps(assignment)
    return payload


def _environment() -> dict[str, str]:
    """One thread a worker in the libraries that would start one a core; no GPU for CPU workers."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **single, "CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": "1"}
