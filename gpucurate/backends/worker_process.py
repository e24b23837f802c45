"""A worker in a process of its own, forked by ``forking``.

Messages come and go through one socket. The process ends at once when the socket does,
and takes what its stages have started along, so that nothing outlives the driver.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import threading
from multiprocessing.connection import Connection

import cloudpickle

from gpucurate.backends.base import Report
from gpucurate.backends.runner import Runner, failure_of
from gpucurate.memory.gpus import use_gpu
from gpucurate.memory.out_of_memory import device_is_lost
from gpucurate.spec.errors import GpucurateError
from gpucurate.spec.events import SetupFailed, UnitDone, UnitFailed, WorkerDied, WorkerReady

STOPPED = "stopped"
"""Why a worker is gone that was told to stop, and did."""


def main(descriptor: int) -> None:
    """Take assignments, one after the other: set up, run units until told to stop, tear down.

    Args:
        descriptor: of the socket to the driver.
    """
    connection = Connection(descriptor)
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, messages), daemon=True).start()
    while _take_assignment(connection, messages):
        gc.collect()  # what the stages held


def _take_assignment(connection: Connection, messages: queue.SimpleQueue[bytes]) -> bool:
    """Run the units of one segment; whether the worker can go on to another."""
    worker, gpu, payload = pickle.loads(messages.get())
    try:
        if gpu is not None:
            use_gpu(gpu)
        runner = Runner(cloudpickle.loads(payload), worker)
    except Exception as error:
        why = f"the stages could not be loaded in a worker: {failure_of(error)[1]}"
        _send(connection, (SetupFailed(worker, "configuration", why), None))
        return False
    was_stopped = False
    try:
        was_stopped = _serve(runner, connection, messages)
    finally:
        torn_down = _tear_down(runner, connection)
    if was_stopped and torn_down:
        _send(connection, (WorkerDied(worker, STOPPED), None))
    return was_stopped and torn_down


def _listen(connection: Connection, messages: queue.SimpleQueue[bytes]) -> None:
    """Hand messages on; a socket that closes means that the driver is gone."""
    while True:
        try:
            messages.put(connection.recv_bytes())
        except (EOFError, OSError):
            os.killpg(os.getpgrp(), signal.SIGKILL)  # the worker leads a group of its own


def _serve(runner: Runner, connection: Connection, messages: queue.SimpleQueue[bytes]) -> bool:
    """Run units until told to stop; False where the stages could not be set up."""
    try:
        runner.setup()
    except Exception as error:
        _send(connection, (SetupFailed(runner.worker, *failure_of(error)), None))
        return False
    _send(connection, (WorkerReady(runner.worker), None))
    while message := messages.get():
        unit_id, attempt, unit = pickle.loads(message)
        report = _run(runner, unit_id, attempt, unit)
        _send(connection, report)
        if isinstance(report[0], WorkerDied):
            os._exit(1)  # nothing of CUDA works in this process any more, teardown included
    return True


def _run(runner: Runner, unit_id: str, attempt: int, unit: bytes) -> Report:
    """What came of a unit: the death of the worker where its GPU is of no more use to this process."""
    try:
        return UnitDone(runner.worker, unit_id), runner.run(pickle.loads(unit), attempt)
    except Exception as error:
        is_lost = device_is_lost(error)
        kind, message = failure_of(error)
        if is_lost:
            why = f"its GPU reported an error after which CUDA works no more: {message.splitlines()[-1]}"
            return WorkerDied(runner.worker, why), None
        return UnitFailed(runner.worker, unit_id, kind, message), None


def _tear_down(runner: Runner, connection: Connection) -> bool:
    """Tear the stages down; False, and a report, where one fails or leaves memory on the GPU."""
    try:
        runner.teardown()
    except GpucurateError as error:
        _send(connection, (WorkerDied(runner.worker, failure_of(error)[1]), None))
        return False
    return True


def _send(connection: Connection, report: Report) -> None:
    event, result = report
    try:
        packed = cloudpickle.dumps(result)
    except Exception as error:
        if not isinstance(event, UnitDone):
            raise
        why = f"the tasks of the unit cannot be sent to the driver: {failure_of(error)[1]}"
        event, packed = UnitFailed(event.worker, event.unit, "user", why), cloudpickle.dumps(None)
    # In two steps, so that a driver that cannot load the tasks still knows which unit it was.
    connection.send_bytes(pickle.dumps((event, packed)))
