"""Worker processes on this machine."""

from __future__ import annotations

import contextlib
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import wait

import cloudpickle

from gpucurate.backends.base import Report
from gpucurate.backends.fork_server import UNKNOWN
from gpucurate.backends.process import WorkerPool, WorkerProcess
from gpucurate.backends.runner import Assignment, failure_of
from gpucurate.backends.worker_process import STOPPED
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.events import SetupFailed, UnitFailed, WorkerDied
from gpucurate.spec.unit import Unit

STOP_SECONDS = 10.0
"""A worker that was told to stop may take so long to tear down."""

_STOP = b""


class LocalBackend:
    """One process a worker.

    Args:
        assignment: what the workers run.
        pool: where processes come from and go to; who made it closes it.
        gpus: names of the GPUs for workers, one each; none for workers that need none.

    Raises:
        ConfigurationError: a stage cannot be pickled, or Python does not know its own program.
    """

    def __init__(self, assignment: Assignment, pool: WorkerPool, gpus: Sequence[str] = ()) -> None:
        if not sys.executable:
            raise ConfigurationError(
                "this Python does not know its own program (sys.executable is empty), so no worker "
                "process can be started: use InlineExecutor, or set sys.executable"
            )
        self._payload = _pickled(assignment)
        self._pool = pool
        self._gpus = list(gpus)
        self._processes: dict[int, WorkerProcess] = {}
        self._reports: deque[Report] = deque()

    def spawn(self, worker: int) -> None:
        """Start a worker process, or give one that waits these stages."""
        try:
            held = self._processes[worker] = self._pool.take(self._free_gpu())
        except OSError as error:
            self._reports.append((WorkerDied(worker, f"could not be started: {error}"), None))
            return
        with contextlib.suppress(OSError):  # it died at once: poll reports it
            held.connection.send_bytes(pickle.dumps((worker, held.gpu, self._payload)))

    def _free_gpu(self) -> str | None:
        """A GPU that no living worker has; the scheduler keeps no more workers than there are."""
        taken = {held.gpu for held in self._processes.values()}
        return next((gpu for gpu in self._gpus if gpu not in taken), None)

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
        if isinstance(event, WorkerDied) and event.why == STOPPED:
            self._pool.give(self._processes.pop(worker))
        try:
            self._reports.append((event, pickle.loads(packed)))
        except Exception as error:  # a class of the user's that loads in a worker and not here
            why = f"the tasks of the unit cannot be loaded in the driver: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(worker, event.unit, "user", why), None))

    def _bury(self, worker: int) -> str:
        held = self._processes.pop(worker)
        held.connection.close()
        if held.wait(STOP_SECONDS) is None:
            held.end()
        code = held.exit_code or 0
        if held.is_late():
            return f"was killed: it did not stop within {STOP_SECONDS:.0f} s"
        if code == UNKNOWN:
            return "ended, and how is not known: the process that it was forked from is gone"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return STOPPED if code == 0 and held.deadline else f"ended with exit code {code}"

    def close(self) -> None:
        """Kill the workers that have not stopped."""
        for held in self._processes.values():
            held.kill()
        for held in self._processes.values():
            held.end()
        self._processes.clear()


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
