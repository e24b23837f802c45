"""Worker processes on this machine."""

from __future__ import annotations

import pickle
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cloudpickle

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.environment import Environment
from gpucurate.backends.exchange import FolderExchange
from gpucurate.backends.fork_server import UNKNOWN
from gpucurate.backends.gpu_share import memory_share
from gpucurate.backends.journal import journal_path, read_journal
from gpucurate.backends.position import position_path, units_begun
from gpucurate.backends.process import WorkerPool, WorkerProcess
from gpucurate.backends.runner import failure_of, remove_attempts
from gpucurate.backends.stacks import stack_path, stacks_of
from gpucurate.backends.worker_process import STOPPED, Hello, Work
from gpucurate.spec.cluster import Node
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.events import (
    DeathKind,
    Dispatch,
    InputLost,
    SetupFailed,
    SpawnWorker,
    UnitDone,
    UnitFailed,
    WorkerDied,
)
from gpucurate.spec.suspect import Suspect
from gpucurate.spec.unit import Unit
from gpucurate.spec.worker import WorkerMetadata

STOP_SECONDS = 10.0
"""A worker that was told to stop may take so long to tear down."""

_STOP = b""


@dataclass(slots=True)
class _Worker:
    """A process with what it was given and has not answered yet."""

    process: WorkerProcess
    segment: int
    outbox: list[Work] = field(default_factory=list)
    attempts: deque[tuple[str, int]] = field(default_factory=deque)
    reported: int = 0
    killed: str | None = None
    is_worn: bool = False


class LocalBackend:
    """One process a worker.

    Args:
        assignments: what the workers of each segment run.
        pool: where processes come from and go to; who made it closes it.
        node: this machine, with the GPUs that workers may have.
        environments: of each segment's workers; None for the run's.

    Raises:
        ConfigurationError: a stage cannot be pickled, Python does not know its own program, or one that a
            stage asks for cannot be used.
    """

    def __init__(
        self,
        assignments: Sequence[Assignment],
        pool: WorkerPool,
        node: Node,
        environments: Sequence[Environment | None],
    ) -> None:
        if not sys.executable:
            raise ConfigurationError(
                "this Python does not know its own program (sys.executable is empty), so no worker "
                "process can be started: use InlineExecutor, or set sys.executable"
            )
        for environment in environments:
            if environment is not None:
                environment.check()
        self._assignments = list(assignments)
        self._payloads = [pickled(assignment) for assignment in assignments]
        self._environments = list(environments)
        self._node_is_set_up = [environment is None for environment in environments]
        self._pool = pool
        self._node = node
        self._workers: dict[int, _Worker] = {}
        self._reports: deque[Report] = deque()
        self._selector = selectors.DefaultSelector()
        self._unsent: set[int] = set()
        self._addresses: dict[int, str] = {}

    def nodes(self) -> Sequence[Node]:
        """This machine."""
        return [self._node]

    def spawn(self, action: SpawnWorker) -> None:
        """Start a worker process, or give one that waits these stages."""
        gpu = ",".join(action.place.gpu_ids) or None
        try:
            process = self._pool.take(gpu, self._environments[action.segment])
        except OSError as error:
            self._reports.append((WorkerDied(action.worker, f"could not be started: {error}"), None))
            return
        self._workers[action.worker] = _Worker(process, action.segment)
        self._selector.register(process.channel, selectors.EVENT_READ, action.worker)
        if process.handle is not None:
            self._selector.register(process.handle, selectors.EVENT_READ, action.worker)
        self._say(action.worker, pickle.dumps(self._hello(action, gpu)))

    def _hello(self, action: SpawnWorker, gpu: str | None) -> Hello:
        segment = action.segment
        sets_up_node = not self._node_is_set_up[segment]
        self._node_is_set_up[segment] = True
        assignment = self._assignments[segment]
        sizes = {gpu.id: gpu.memory for gpu in self._node.gpus}
        limit = assignment.gpu_memory or memory_share(action.place, sizes)
        metadata = self._metadata(action)
        return Hello(action.worker, gpu, limit, metadata, sets_up_node, self._payloads[segment])

    def _metadata(self, action: SpawnWorker) -> WorkerMetadata:
        name, gpus = str(action.worker), action.place.gpu_ids
        if action.rank is None:
            return WorkerMetadata(name, self._node.id, gpus)
        if action.gang not in self._addresses:
            self._addresses[action.gang] = f"127.0.0.1:{_free_port()}"
        return WorkerMetadata(
            name, self._node.id, gpus, action.rank, action.gang_size, self._addresses[action.gang]
        )

    def dispatch(self, action: Dispatch, unit: Unit, given: Any) -> None:
        """Have a unit sent to a worker with the next poll."""
        held = self._workers.get(action.worker)
        if held is None:
            return  # it died meanwhile, and the report of that is under way
        try:
            packed = pickle.dumps(unit) if unit.payload is None else cloudpickle.dumps(unit)
        except Exception as error:
            why = f"the tasks of the unit cannot be sent to a worker: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(action.worker, unit.id, "configuration", why), None))
            return
        # In two steps, so that a worker that cannot load the tasks still knows which unit it was.
        held.outbox.append((unit.id, action.order, packed, given))
        held.attempts.append((unit.id, action.order.attempt))
        self._unsent.add(action.worker)

    def _send(self, worker: int) -> None:
        held = self._workers.get(worker)
        if held is not None and held.outbox:
            work, held.outbox = held.outbox, []
            self._say(worker, pickle.dumps(work, pickle.HIGHEST_PROTOCOL))

    def _say(self, worker: int, message: bytes) -> None:
        """Send a message, or as much as the worker takes now: if it is stopped, the driver must not be."""
        channel = self._workers[worker].process.channel
        channel.send(message)
        self._watch(worker)

    def _watch(self, worker: int) -> None:
        """Be told of messages, and of room for what is left to be sent."""
        channel = self._workers[worker].process.channel
        writes = selectors.EVENT_WRITE if channel.is_behind else 0
        self._selector.modify(channel, selectors.EVENT_READ | writes, worker)

    def stop(self, worker: int, *, is_worn: bool = False) -> None:
        """Ask a worker to end."""
        held = self._workers.get(worker)
        if held is not None:
            held.is_worn = is_worn
            self._send(worker)
            self._say(worker, _STOP)
            _limit(held)

    def kill(self, worker: int, why: str) -> None:
        """Kill a worker and what its stages have started."""
        held = self._workers.get(worker)
        if held is not None:
            held.killed = why
            held.process.kill()

    def stacks(self, worker: int) -> str:
        """Where the threads of a worker are, and what it has started."""
        held = self._workers.get(worker)
        work = None if held is None else self._assignments[held.segment]
        if held is None or work is None or work.folder is None:
            return ""
        return stacks_of(held.process.pid, stack_path(work.folder, work.phase, worker))

    def release(self, handed_on: Any) -> None:
        """Drop what a segment handed on."""
        exchange = self._assignments[0].exchange
        if exchange is not None:
            exchange.drop(handed_on)

    def poll(self, timeout: float) -> list[Report]:
        """Results that came in, and workers that died."""
        while self._unsent:
            self._send(self._unsent.pop())
        for key, _ in self._selector.select(0 if self._reports else timeout):
            if key.data in self._workers:  # else another sign of it was there first
                self._hear(key.data, has_ended=isinstance(key.fileobj, int))
        for held in self._workers.values():
            if held.process.is_late():
                held.process.kill()
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def _hear(self, worker: int, *, has_ended: bool) -> None:
        """Take what a worker says, send what it had no room for, and see whether it is gone."""
        held = self._workers[worker]
        channel = held.process.channel
        if channel.is_behind:
            channel.flush()
            self._watch(worker)
        try:
            for message in channel.receive():
                for event, packed in pickle.loads(message):
                    self._report(worker, held, event, packed)
        except EOFError:
            has_ended = True
        if has_ended and worker in self._workers:
            self._bury(worker)

    def _report(self, worker: int, held: _Worker, event: Any, packed: bytes) -> None:
        if isinstance(event, UnitDone | UnitFailed | InputLost):
            held.attempts.popleft()
            held.reported += 1
        if isinstance(event, SetupFailed | WorkerDied):
            _limit(held)
        if isinstance(event, WorkerDied):
            if event.why != STOPPED:
                held.killed = event.why  # it ends by itself, and that is reported once
                return
            self._forget(worker)
            if held.is_worn:
                held.process.end()  # it waits for more work, as one that is kept does
            else:
                self._pool.give(held.process)
        try:
            self._reports.append((event, pickle.loads(packed)))
        except Exception as error:  # a class of the user's that loads in a worker and not here
            why = f"the tasks of the unit cannot be loaded in the driver: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(worker, event.unit, "user", why), None))

    def _forget(self, worker: int) -> _Worker:
        held = self._workers.pop(worker)
        self._selector.unregister(held.process.channel)
        if held.process.handle is not None:
            self._selector.unregister(held.process.handle)
        return held

    def _bury(self, worker: int) -> None:
        held = self._forget(worker)
        held.process.end(STOP_SECONDS)
        why, kind = _how_it_ended(held)
        unit, suspect = self._was_at(worker, held)
        self._clear_away(worker, held)
        self._reports.append((WorkerDied(worker, why, kind, suspect, unit=unit), None))

    def _was_at(self, worker: int, held: _Worker) -> tuple[str | None, Suspect | None]:
        """The unit at which it died, past those that waited for the disk, and the rows if that is known."""
        assignment = self._assignments[held.segment]
        if not held.attempts or assignment.folder is None:
            return None, None
        begun = units_begun(position_path(assignment.folder, assignment.phase, worker))
        at = max(0, begun - 1 - held.reported)
        unit, attempt = held.attempts[min(at, len(held.attempts) - 1)]
        suspect = read_journal(journal_path(assignment.folder, assignment.attempt(unit, attempt, worker)))
        return unit, suspect

    def _clear_away(self, worker: int, held: _Worker) -> None:
        """Remove what it was writing: shared memory is small, and the run may be long."""
        assignment = self._assignments[held.segment]
        for unit, attempt in held.attempts:
            prefix = assignment.attempt(unit, attempt, worker)
            if isinstance(assignment.exchange, FolderExchange):
                assignment.exchange.abandon(prefix)
            remove_attempts(assignment.folder, prefix)
        if assignment.folder is not None:
            stack_path(assignment.folder, assignment.phase, worker).unlink(missing_ok=True)

    def close(self) -> None:
        """Kill the workers that have not stopped."""
        for held in self._workers.values():
            held.process.kill()
        for held in self._workers.values():
            held.process.end()
        self._workers.clear()
        self._selector.close()


def _limit(held: _Worker) -> None:
    held.process.deadline = held.process.deadline or time.monotonic() + STOP_SECONDS


def _how_it_ended(held: _Worker) -> tuple[str, DeathKind]:
    process = held.process
    code = process.exit_code or 0
    if held.killed is not None:
        return held.killed, "crash"
    if process.is_late():
        return f"was killed: it did not stop within {STOP_SECONDS:.0f} s", "crash"
    if code == UNKNOWN:
        return "ended, and how is not known: the process that it was forked from is gone", "crash"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}", "crash"
    if code == 0 and process.deadline:
        return STOPPED, "stopped"
    return f"ended with exit code {code}", "crash"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pickled(assignment: Assignment) -> bytes:
    """An assignment to be sent to workers.

    Raises:
        ConfigurationError: a stage cannot be pickled.
    """
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
