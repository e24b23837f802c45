"""A worker in a process of its own, forked by ``forking``.

Messages come and go through one socket. The process ends at once when the socket does,
and takes what its stages have started along, so that nothing outlives the driver.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import queue
import signal
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.node_setup import set_up_node
from gpucurate.backends.runner import Runner, failure_of
from gpucurate.backends.topology import Nvml, stay_near
from gpucurate.memory.gpus import use_gpu
from gpucurate.memory.host_peak import resident_memory
from gpucurate.memory.out_of_memory import device_is_lost
from gpucurate.spec.errors import GpucurateError, InputLostError
from gpucurate.spec.events import (
    InputLost,
    Order,
    SetupFailed,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.worker import WorkerMetadata

STOPPED = "stopped"
"""Why a worker is gone that was told to stop, and did."""

REPORT_SECONDS = 0.005
"""A report waits so long for others while there is more to do."""

Work = tuple[str, Order, bytes, Any]
"""A unit's name, how it is to be done, the unit pickled, and what the segment before handed on."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a process is told to become.

    Attributes:
        worker: its number.
        gpu: names of the GPUs that it sees, with commas between; None for none.
        gpu_memory: bytes of each that it may use; the assignment's if None.
        metadata: for ``setup``.
        sets_up_node: whether it calls ``setup_on_node`` first, in the environment of its stages.
        assignment: pickled.
    """

    worker: int
    gpu: str | None
    gpu_memory: int | None
    metadata: WorkerMetadata
    sets_up_node: bool
    assignment: bytes


def main(descriptor: int) -> None:
    """Take assignments, one after the other: set up, run units until told to stop, tear down.

    Args:
        descriptor: of the socket to the driver.
    """
    connection = Connection(descriptor)
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, messages), daemon=True).start()
    while _take_assignment(Outbox(connection), messages):
        gc.collect()  # what the stages held


def _listen(connection: Connection, messages: queue.SimpleQueue[bytes]) -> None:
    """Hand messages on; a socket that closes means that the driver is gone."""
    while True:
        try:
            messages.put(connection.recv_bytes())
        except (EOFError, OSError):
            os.killpg(os.getpgrp(), signal.SIGKILL)  # the worker leads a group of its own


class Outbox:
    """Reports to the driver: at once where it waits for them, several at a time where it does not."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Any, bytes]] = []
        self._since = 0.0

    def add(self, report: Report) -> None:
        """Keep a report for a moment."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(packed_report(report))

    def send_if_due(self) -> None:
        """Send what has waited long enough."""
        if self._waiting and time.monotonic() - self._since >= REPORT_SECONDS:
            self.send()

    def send(self, report: Report | None = None) -> None:
        """Send all there is."""
        if report is not None:
            self.add(report)
        if self._waiting:
            self._connection.send_bytes(pickle.dumps(self._waiting, pickle.HIGHEST_PROTOCOL))
            self._waiting = []


def packed_report(report: Report) -> tuple[Any, bytes]:
    """In two steps, so that a driver that cannot load the tasks still knows which unit it was."""
    event, result = report
    with contextlib.suppress(Exception):  # a class of the user's script is sent as it is written
        return event, pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    try:
        return event, cloudpickle.dumps(result)
    except Exception as error:
        why = f"the tasks of the unit cannot be sent to the driver: {failure_of(error)[1]}"
        return UnitFailed(event.worker, result.unit_id, "user", why), pickle.dumps(None)  # type: ignore[union-attr]


def _take_assignment(outbox: Outbox, messages: queue.SimpleQueue[bytes]) -> bool:
    """Run the units of one segment; whether the worker can go on to another."""
    hello: Hello = pickle.loads(messages.get())
    try:
        runner = _runner(hello)
    except Exception as error:
        why = f"the stages could not be loaded in a worker: {failure_of(error)[1]}"
        outbox.send((SetupFailed(hello.worker, "configuration", why), None))
        return False
    was_stopped = False
    try:
        was_stopped = _serve(runner, hello.sets_up_node, outbox, messages)
    finally:
        torn_down = _tear_down(runner, outbox)
    if was_stopped and torn_down:
        outbox.send((WorkerDied(hello.worker, STOPPED, "stopped"), None))
    return was_stopped and torn_down


def _runner(hello: Hello) -> Runner:
    if hello.gpu is not None:
        stay_near([Nvml().device(gpu) for gpu in hello.gpu.split(",")])
        use_gpu(hello.gpu)
    assignment: Assignment = cloudpickle.loads(hello.assignment)
    if hello.gpu_memory is not None:
        assignment = replace(assignment, gpu_memory=hello.gpu_memory)
    return Runner(assignment, hello.worker, hello.metadata)


def _serve(runner: Runner, sets_up_node: bool, outbox: Outbox, messages: queue.SimpleQueue[bytes]) -> bool:
    """Run units until told to stop; False where the stages could not be set up."""
    try:
        if sets_up_node:
            set_up_node(runner.assignment.stages)
        runner.setup()
    except Exception as error:
        outbox.send((SetupFailed(runner.worker, *failure_of(error)), None))
        return False
    outbox.send((WorkerReady(runner.worker, resident_memory()), None))
    todo: deque[Work] = deque()
    while True:
        if not todo and messages.empty():
            outbox.send()
        while not todo or not messages.empty():
            message = messages.get()
            if not message:
                return True
            todo.extend(pickle.loads(message))
        report = run_unit(runner, *todo.popleft())
        if isinstance(report[0], WorkerDied):
            outbox.send(report)
            os._exit(1)  # nothing of CUDA works in this process any more, teardown included
        outbox.add(report)
        outbox.send_if_due()


def run_unit(runner: Runner, unit_id: str, order: Order, unit: bytes, given: Any) -> Report:
    """What came of a unit: the death of the worker where its GPU is of no more use to this process."""
    try:
        result = runner.run(pickle.loads(unit), order, given)
    except InputLostError as error:
        return InputLost(runner.worker, unit_id, failure_of(error)[1]), None
    except Exception as error:
        is_lost = device_is_lost(error)
        kind, message = failure_of(error)
        if is_lost:
            why = f"its GPU reported an error after which CUDA works no more: {message.splitlines()[-1]}"
            return WorkerDied(runner.worker, why), None
        return UnitFailed(runner.worker, unit_id, kind, message, runner.figures), None
    return UnitDone(runner.worker, unit_id, result.figures), result


def _tear_down(runner: Runner, outbox: Outbox) -> bool:
    """Tear the stages down; False, and a report, where one fails or leaves memory on the GPU."""
    try:
        runner.teardown()
    except GpucurateError as error:
        outbox.send((WorkerDied(runner.worker, failure_of(error)[1]), None))
        return False
    return True
