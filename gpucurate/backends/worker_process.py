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
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.node_setup import set_up_node
from gpucurate.backends.position import Position, position_path
from gpucurate.backends.reporter import Reporter, settled
from gpucurate.backends.runner import Runner, failure_of
from gpucurate.backends.stacks import StackFile, stack_path
from gpucurate.backends.syncing import Unsynced
from gpucurate.backends.topology import Nvml, stay_near
from gpucurate.disk.crash import reach
from gpucurate.memory.gpus import use_gpu
from gpucurate.memory.host_peak import resident_memory
from gpucurate.memory.out_of_memory import device_is_lost
from gpucurate.spec.errors import GpucurateError, InputLostError, StorageError
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
    reporter = Reporter(lambda packed: connection.send_bytes(pickle.dumps(packed, pickle.HIGHEST_PROTOCOL)))
    while _take_assignment(reporter, messages):
        gc.collect()  # what the stages held


def _listen(connection: Connection, messages: queue.SimpleQueue[bytes]) -> None:
    """Hand messages on; a socket that closes means that the driver is gone."""
    while True:
        try:
            messages.put(connection.recv_bytes())
        except (EOFError, OSError):
            os.killpg(os.getpgrp(), signal.SIGKILL)  # the worker leads a group of its own


def _take_assignment(reporter: Reporter, messages: queue.SimpleQueue[bytes]) -> bool:
    """Run the units of one segment; whether the worker can go on to another."""
    hello: Hello = pickle.loads(messages.get())
    try:
        runner = _runner(hello)
    except Exception as error:
        why = f"the stages could not be loaded in a worker: {failure_of(error)[1]}"
        reporter.send((SetupFailed(hello.worker, "configuration", why), None))
        return False
    was_stopped = False
    with ExitStack() as at_end:
        try:
            was_stopped = _serve(runner, hello.sets_up_node, reporter, messages, at_end)
        finally:
            torn_down = _tear_down(runner, reporter)
    if was_stopped and torn_down:
        reporter.send((WorkerDied(hello.worker, STOPPED, "stopped"), None))
    return was_stopped and torn_down


def _runner(hello: Hello) -> Runner:
    if hello.gpu is not None:
        stay_near([Nvml().device(gpu) for gpu in hello.gpu.split(",")])
        use_gpu(hello.gpu)
    assignment: Assignment = cloudpickle.loads(hello.assignment)
    if hello.gpu_memory is not None:
        assignment = replace(assignment, gpu_memory=hello.gpu_memory)
    return Runner(assignment, hello.worker, hello.metadata)


def _serve(
    runner: Runner,
    sets_up_node: bool,
    reporter: Reporter,
    messages: queue.SimpleQueue[bytes],
    at_end: ExitStack,
) -> bool:
    """Run units until told to stop; False where the stages could not be set up.

    ``at_end`` is what happens once they are torn down: until then the worker tells where it is stuck.
    """
    try:
        at_end.callback(StackFile(_stack_path(runner)).close)
        if sets_up_node:
            set_up_node(runner.assignment.stages)
        reach("worker.before_setup")
        runner.setup()
        position = _position(runner)
    except Exception as error:
        reporter.send((SetupFailed(runner.worker, *failure_of(error)), None))
        return False
    reach("worker.before_ready")
    reporter.send((WorkerReady(runner.worker, resident_memory()), None))
    todo: deque[Work] = deque()
    while True:
        if not todo and messages.empty():
            reporter.hurry()
        while not todo or not messages.empty():
            message = messages.get()
            if not message:
                position.close()
                return True
            todo.extend(pickle.loads(message))
        report, unsynced = _run(runner, position, todo.popleft())
        if isinstance(report[0], WorkerDied):
            reporter.send(report)
            os._exit(1)  # nothing of CUDA works in this process any more, teardown included
        reporter.add(report, unsynced)


def _stack_path(runner: Runner) -> Path | None:
    work = runner.assignment
    return work.folder and stack_path(work.folder, work.phase, runner.worker)


def _position(runner: Runner) -> Position:
    work = runner.assignment
    return Position(work.folder and position_path(work.folder, work.phase, runner.worker))


def _run(runner: Runner, position: Position, work: Work) -> tuple[Report, Unsynced | None]:
    try:
        position.advance()
    except StorageError as error:
        return (UnitFailed(runner.worker, work[0], *failure_of(error)), None), None
    return start_unit(runner, work)


def run_unit(runner: Runner, unit_id: str, order: Order, unit: bytes, given: Any) -> Report:
    """What came of a unit, whose files are on disk."""
    return settled(*start_unit(runner, (unit_id, order, unit, given)))


def start_unit(runner: Runner, work: Work) -> tuple[Report, Unsynced | None]:
    """What came of a unit: the death of the worker where its GPU is of no more use to this process."""
    unit_id, order, unit, given = work
    try:
        unsynced = runner.start(pickle.loads(unit), order, given)
    except InputLostError as error:
        return (InputLost(runner.worker, unit_id, failure_of(error)[1]), None), None
    except Exception as error:
        is_lost = device_is_lost(error)
        kind, message = failure_of(error)
        if is_lost:
            why = f"its GPU reported an error after which CUDA works no more: {message.splitlines()[-1]}"
            return (WorkerDied(runner.worker, why), None), None
        return (UnitFailed(runner.worker, unit_id, kind, message, runner.figures), None), None
    result = unsynced.result
    return (UnitDone(runner.worker, unit_id, result.figures), result), unsynced


def _tear_down(runner: Runner, reporter: Reporter) -> bool:
    """Tear the stages down; False, and a report, where one fails or leaves memory on the GPU."""
    try:
        runner.teardown()
    except GpucurateError as error:
        reporter.send((WorkerDied(runner.worker, failure_of(error)[1]), None))
        return False
    return True
