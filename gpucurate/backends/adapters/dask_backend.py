"""Workers that live in the workers of a Dask cluster."""

from __future__ import annotations

import pickle
import queue
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cloudpickle

from gpucurate.backends.adapters import dask_worker
from gpucurate.backends.adapters.dask_nodes import DaskNodes
from gpucurate.backends.adapters.slot import Hello, Reports
from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.exchange import Exchange
from gpucurate.backends.journal import journal_path, read_journal
from gpucurate.backends.local import STOP_SECONDS, pickled
from gpucurate.backends.runner import failure_of
from gpucurate.spec.cluster import Node
from gpucurate.spec.events import (
    Dispatch,
    NodeDown,
    NodeUp,
    SetupFailed,
    SpawnWorker,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.suspect import Suspect
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.spec.worker import WorkerMetadata


@dataclass(slots=True)
class _Member:
    """A worker of the scheduler's, with what it was given and has not answered yet."""

    address: str
    segment: int
    attempts: deque[tuple[str, int]] = field(default_factory=deque)
    futures: set[Any] = field(default_factory=set)
    killed: str | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of a call."""

    worker: int
    unit: str | None
    future: Any


class DaskBackend:
    """One slot in a worker of Dask is one worker; Dask retries nothing, and moves nothing.

    A worker of Dask is a node: when its process ends, what was there is gone, and its nanny starts
    another, which is a node of its own.

    Args:
        assignments: what the workers of each segment run.
        client: of the cluster.
        nodes: the workers of the cluster.
        exchange: how units get from segment to segment; None where there is one.

    Raises:
        ConfigurationError: a stage cannot be pickled.
    """

    def __init__(
        self,
        assignments: Sequence[Assignment],
        client: Any,
        nodes: DaskNodes,
        exchange: Exchange | None,
    ) -> None:
        self._run = uuid.uuid4().hex[:12]
        self._assignments = list(assignments)
        self._payloads = [pickled(assignment) for assignment in assignments]
        self._client = client
        self._nodes = nodes
        self._exchange = exchange
        self._members: dict[int, _Member] = {}
        self._reports: deque[Report] = deque()
        self._inbox: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

    @property
    def payloads(self) -> list[bytes]:
        """The assignments, pickled."""
        return self._payloads

    def nodes(self) -> Sequence[Node]:
        """The workers of the cluster."""
        return self._nodes.all()

    def spawn(self, action: SpawnWorker) -> None:
        """Set a slot up; nothing where the node has gone, since its end is reported already."""
        place = action.place
        if not self._nodes.is_there(place.node):
            return
        self._members[action.worker] = _Member(place.node, action.segment)
        metadata = WorkerMetadata(str(action.worker), place.node, place.gpu_ids)
        hello = Hello(action.worker, metadata, tuple(sys.path), self._payloads[action.segment])
        self._call(action.worker, None, dask_worker.set_up, hello)

    def _call(self, worker: int, unit: str | None, function: Callable[..., Reports], *given: Any) -> None:
        """Have a function run where a worker is, and nowhere else."""
        member = self._members[worker]
        future = self._client.submit(
            function,
            self._run,
            *given,
            workers=[member.address],
            pure=False,
            retries=0,
            key=f"gpucurate-{function.__name__}-{uuid.uuid4().hex}",
        )
        member.futures.add(future)
        future.add_done_callback(lambda done: self._inbox.put(_Answer(worker, unit, done)))

    def dispatch(self, action: Dispatch, unit: Unit, given: Any) -> None:
        """Send a unit to a worker."""
        member = self._members.get(action.worker)
        if member is None:
            return  # it died meanwhile, and the report of that is under way
        try:
            packed = cloudpickle.dumps(unit)
        except Exception as error:
            why = f"the tasks of the unit cannot be sent to a worker: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(action.worker, unit.id, "configuration", why), None))
            return
        member.attempts.append((unit.id, action.order.attempt))
        work = (unit.id, action.order, packed, given)
        self._call(action.worker, unit.id, dask_worker.run_work, action.worker, work)

    def stop(self, worker: int, *, is_worn: bool = False) -> None:
        """Have a slot torn down."""
        member = self._members.get(worker)
        if member is not None:
            member.deadline = time.monotonic() + STOP_SECONDS
            self._call(worker, None, dask_worker.tear_down, worker)

    def kill(self, worker: int, why: str) -> None:
        """End the process of a worker of Dask, with all that lives there."""
        member = self._members.get(worker)
        if member is not None:
            member.killed = why
            self._nodes.end(member.address)

    def stacks(self, worker: int) -> str:
        """Nothing: the process is not ours to ask."""
        return ""

    def release(self, handed_on: Any) -> None:
        """Drop what a segment handed on."""
        if self._exchange is not None:
            self._exchange.drop(handed_on)

    def poll(self, timeout: float) -> list[Report]:
        """Answers that came in, workers of Dask that came and went."""
        for answer in self._answers(0 if self._reports else timeout):
            self._take(answer)
        for address, node in self._nodes.changes():
            if node is not None:
                self._reports.append((NodeUp(node), None))
            else:
                self._bury(address)
        for worker, member in self._members.items():
            if member.deadline is not None and time.monotonic() > member.deadline:
                member.deadline = None
                self.kill(worker, f"was killed: it did not stop within {STOP_SECONDS:.0f} s")
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def _answers(self, timeout: float) -> list[_Answer]:
        answers: list[_Answer] = []
        try:
            answers.append(self._inbox.get(timeout=timeout) if timeout > 0 else self._inbox.get_nowait())
            while True:
                answers.append(self._inbox.get_nowait())
        except queue.Empty:
            return answers

    def _take(self, answer: _Answer) -> None:
        member = self._members.get(answer.worker)
        if member is None:
            return  # it was given up, and nothing of it counts any more
        member.futures.discard(answer.future)
        if answer.future.status == "finished":
            for event, packed in answer.future.result():
                self._report(answer.worker, member, event, packed)
        elif answer.future.status == "error":
            self._fail(answer, failure_of(answer.future.exception())[1])

    def _fail(self, answer: _Answer, why: str) -> None:
        """A call could not be made, or its answer could not come."""
        if answer.unit is None:
            self._reports.append((SetupFailed(answer.worker, "configuration", why), None))
            self._reports.append((WorkerDied(answer.worker, why, "stopped"), None))
            del self._members[answer.worker]
        else:
            self._members[answer.worker].attempts.popleft()
            self._reports.append((UnitFailed(answer.worker, answer.unit, "user", why), None))

    def _report(self, worker: int, member: _Member, event: Any, packed: bytes) -> None:
        if isinstance(event, WorkerDied):
            if event.kind != "stopped":  # nothing of CUDA works in its process any more
                self.kill(worker, event.why)
                return
            del self._members[worker]
        elif not isinstance(event, WorkerReady | SetupFailed):
            member.attempts.popleft()
        result: UnitResult | None = None
        try:
            result = pickle.loads(packed)
        except Exception as error:  # a class of the user's that loads in a worker and not here
            why = f"the tasks of the unit cannot be loaded in the driver: {failure_of(error)[1]}"
            event = UnitFailed(worker, event.unit, "user", why)
        self._reports.append((event, result))

    def _bury(self, address: str) -> None:
        """The process of a worker of Dask is gone, and all that lived there."""
        for worker in [w for w, member in self._members.items() if member.address == address]:
            member = self._members.pop(worker)
            _cancel(member)
            why = member.killed or "the process of its Dask worker ended"
            self._reports.append((WorkerDied(worker, why, "crash", self._suspect(worker, member)), None))
        self._reports.append((NodeDown(address, "Dask has lost it"), None))

    def _suspect(self, worker: int, member: _Member) -> Suspect | None:
        """The rows at which it died, if it kept a journal of its oldest unit."""
        assignment = self._assignments[member.segment]
        if not member.attempts or assignment.folder is None:
            return None
        unit, attempt = member.attempts[0]
        return read_journal(journal_path(assignment.folder, assignment.attempt(unit, attempt, worker)))

    def close(self) -> None:
        """End the processes that are at something, and forget the others."""
        for member in self._members.values():
            _cancel(member)
            self._nodes.end(member.address)
        self._members.clear()
        self._nodes.close()


def _cancel(member: _Member) -> None:
    for future in member.futures:
        future.cancel()
