"""Workers that are actors of Ray."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cloudpickle

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.environment import Environment
from gpucurate.backends.journal import journal_path, read_journal
from gpucurate.backends.ray.crew import GONE, SETUP, START_SECONDS, STOP_SECONDS, TEARDOWN, UP, Crew, Member
from gpucurate.backends.ray.exchange import HandedOn
from gpucurate.backends.ray.faults import Fault, fault_of, is_of_node, sentence_of
from gpucurate.backends.ray.gpus import Holdings, acquire
from gpucurate.backends.ray.mailbox import Answer, Mailbox
from gpucurate.backends.ray.nodes import Nodes, gpus_of
from gpucurate.backends.ray.worker import Reports
from gpucurate.backends.runner import failure_of
from gpucurate.backends.worker_process import STOPPED, Work
from gpucurate.spec.cluster import Need, Node
from gpucurate.spec.events import (
    DeathKind,
    Dispatch,
    InputLost,
    NodeDown,
    NodeUp,
    SetupFailed,
    SpawnWorker,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.suspect import Suspect
from gpucurate.spec.unit import Unit, UnitResult


@dataclass(frozen=True, slots=True)
class _Sent:
    """Units that went to a worker in one call, what they take up, and references of what they hand on."""

    work: list[Work]
    given: Sequence[HandedOn | None]
    parcels: list[Any]


@dataclass(frozen=True, slots=True)
class _Joined:
    """A node that came, as Ray tells of it."""

    told: dict[str, Any]


class RayBackend:
    """One actor a worker, on the node and the GPU that the scheduler says; Ray restarts and retries nothing.

    Args:
        assignments: what the workers of each segment run.
        needs: what one of them takes.
        environments: of each segment's workers; None for the run's.
        cpu_share: of the cores of each node.
        start_seconds: an actor's process may take so long to start.

    Raises:
        ConfigurationError: a stage cannot be pickled, or a program that it asks for cannot be used.
    """

    def __init__(
        self,
        assignments: Sequence[Assignment],
        needs: Sequence[Need],
        environments: Sequence[Environment | None],
        cpu_share: float = 1.0,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._assignments = list(assignments)
        self._uses_gpu = any(need.uses_gpu for need in needs)
        self._start_seconds = start_seconds
        self._holdings = Holdings()
        self._crew = Crew(assignments, needs, environments, self._holdings)
        self._nodes = Nodes(cpu_share)
        self._mailbox = Mailbox()
        self._members: dict[int, Member] = {}
        self._reports: list[Report] = []
        self._there: list[Node] | None = None

    def nodes(self) -> Sequence[Node]:
        """Nodes that are there, with the GPUs that could be had."""
        if self._there is None:
            self._there = [self._node(told) for told in self._nodes.all()]
        return self._there

    def _node(self, told: dict[str, Any]) -> Node:
        count = gpus_of(told) if self._uses_gpu else 0
        held = acquire(told["NodeID"], count) if count else []
        return self._nodes.node(told, self._holdings.keep(told["NodeID"], held))

    def spawn(self, action: SpawnWorker) -> None:
        """Start an actor."""
        member, calls = self._crew.start(action)
        member.limit(self._start_seconds)
        self._members[action.worker] = member
        for call, ref in calls.items():
            self._mailbox.expect(action.worker, call, ref)

    def dispatch(self, action: Dispatch, unit: Unit, given: HandedOn | None) -> None:
        """Have a unit sent to a worker with the next poll."""
        member = self._members.get(action.worker)
        if member is None:
            return  # it died meanwhile, and the report of that is under way
        if given is not None:
            unit = replace(unit, groups=(), payload=None)  # only the first segment reads it
        try:
            packed = pickle.dumps(unit) if unit.payload is None else cloudpickle.dumps(unit)
        except Exception as error:
            why = f"the tasks of the unit cannot be sent to a worker: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(action.worker, unit.id, "configuration", why), None))
            return
        member.outbox.append((unit.id, action.order, packed, None))
        member.given.append(given)
        member.attempts[unit.id] = action.order.attempt

    def stop(self, worker: int, *, is_worn: bool = False) -> None:
        """Let a worker tear down; then its process ends."""
        member = self._members.get(worker)
        if member is not None:
            member.is_stopping = True
            member.limit(STOP_SECONDS)
            self._mailbox.expect(worker, TEARDOWN, member.actor.teardown.remote(worker))

    def kill(self, worker: int, why: str) -> None:
        """Kill a worker's process."""
        member = self._members.get(worker)
        if member is not None:
            member.kill(why)

    def stacks(self, worker: int) -> str:
        """Where the threads of an actor are, if it answers."""
        member = self._members.get(worker)
        return "" if member is None else member.stacks()

    def release(self, handed_on: HandedOn) -> None:
        """Let go of what a segment handed on."""
        handed_on.ref = None

    def poll(self, timeout: float) -> list[Report]:
        """Answers that came in, workers that died, nodes that came and went."""
        for worker, member in self._members.items():
            if member.outbox:
                self._send(worker, member, member.outbox, member.given)
                member.outbox, member.given = [], []
        for answer in self._mailbox.take(0 if self._reports else timeout):
            self._take(answer)
        for worker in [worker for worker, member in self._members.items() if member.is_late()]:
            self._end_late(worker, self._members[worker])
        for name, told in self._nodes.changes():
            self._join(told) if told is not None else self._lose(name)
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def close(self) -> None:
        """Kill the workers that still run, and give all GPUs back."""
        for member in self._members.values():
            member.kill("the run is over")
        self._members.clear()
        self._holdings.close()

    def _send(self, worker: int, member: Member, work: list[Work], given: Sequence[HandedOn | None]) -> None:
        """Send units in one call, which returns reports, and of each unit what goes to the next segment."""
        is_last = self._assignments[member.segment].is_last
        refs = [handed.ref for handed in given if handed is not None]
        made = member.actor.run.options(num_returns=1 if is_last else 1 + len(work)).remote(work, *refs)
        reports, *parcels = [made] if is_last else made
        self._mailbox.expect(worker, _Sent(work, given, parcels), reports)

    def _take(self, answer: Answer) -> None:
        if isinstance(answer.call, _Joined):
            gpus = self._holdings.keep(answer.call.told["NodeID"], answer.value or [])
            self._reports.append((NodeUp(self._nodes.node(answer.call.told, gpus)), None))
            return
        member = self._members.get(answer.worker)
        if member is None:
            return  # it was given up, and nothing of it counts any more
        if answer.error is not None:
            self._fail(answer, member, answer.error)
        elif answer.call == UP:
            member.has_started()
        elif answer.call == GONE:
            self._bury(answer.worker, member, "ended", "crash")
        elif isinstance(answer.call, _Sent):
            self._take_units(answer.worker, member, answer.call, answer.value)
        elif answer.call in (SETUP, TEARDOWN):
            self._take_reports(answer.worker, member, answer.value)

    def _take_units(self, worker: int, member: Member, sent: _Sent, reports: Reports) -> None:
        for at, (event, packed) in enumerate(reports):
            if isinstance(event, WorkerDied):  # it can do nothing more, and says why
                member.farewell = event
                member.kill(event.why)
                return
            member.attempts.pop(event.unit, None)
            try:
                result: UnitResult | None = pickle.loads(packed)
            except Exception as error:  # a class of the user's that loads in a worker and not here
                why = f"the tasks of the unit cannot be loaded in the driver: {failure_of(error)[1]}"
                self._reports.append((UnitFailed(worker, event.unit, "user", why), None))
                continue
            if isinstance(event, UnitDone):
                member.memory = event.figures.memory or member.memory
            if result is not None and sent.parcels:
                result.handed_on = HandedOn(sent.parcels[at])
            self._reports.append((event, result))

    def _take_reports(self, worker: int, member: Member, reports: Reports) -> None:
        """Of a setup that worked, or else of a worker whose process is to end now."""
        for event, _ in reports:
            if isinstance(event, WorkerDied):
                member.farewell = event
            else:
                self._reports.append((event, None))
            if isinstance(event, WorkerReady):
                member.memory = event.memory
                return
            if isinstance(event, SetupFailed):
                self._crew.forget_node(member.node, member.segment)
        member.limit(STOP_SECONDS)
        self._mailbox.expect(worker, GONE, member.actor.__ray_terminate__.remote())

    def _fail(self, answer: Answer, member: Member, error: BaseException) -> None:
        """A call did not come to its end."""
        fault, why, worker = fault_of(error), sentence_of(error), answer.worker
        if isinstance(answer.call, _Sent) and fault in ("lost_input", "user"):
            self._fail_units(worker, member, answer.call, fault, why)
            return
        if fault == "environment" or (fault == "user" and answer.call == SETUP):
            self._reports.append((SetupFailed(worker, "configuration", why), None))
        kinds: dict[Fault, DeathKind] = {"host_memory": "host_memory", "unknown": "unreachable"}
        kind = "unreachable" if is_of_node(error) else kinds.get(fault, "crash")
        self._bury(worker, member, why, kind)

    def _fail_units(self, worker: int, member: Member, sent: _Sent, fault: Fault, why: str) -> None:
        if fault == "lost_input" and len(sent.work) > 1:  # of one of them: they go one by one
            for work, given in zip(sent.work, sent.given, strict=True):
                self._send(worker, member, [work], [given])
            return
        for unit, *_ in sent.work:
            member.attempts.pop(unit, None)
            lost = fault == "lost_input"
            event = InputLost(worker, unit, why) if lost else UnitFailed(worker, unit, "user", why)
            self._reports.append((event, None))

    def _end_late(self, worker: int, member: Member) -> None:
        if member.killed is not None:
            self._bury(worker, member, member.killed, "unreachable")
        elif member.is_up:
            member.kill(f"was killed: it did not stop within {STOP_SECONDS:.0f} s")
        else:
            why = f"did not start within {self._start_seconds:.0f} s: {self._crew.suspicion(member)}"
            if self._crew.python_of(member):  # else the node may have room later
                self._reports.append((SetupFailed(worker, "configuration", why), None))
            self._bury(worker, member, why, "unreachable")

    def _bury(self, worker: int, member: Member, why: str, kind: DeathKind) -> None:
        """Report a worker's end, once; from here on nothing of it counts, should it live on."""
        del self._members[worker]
        suspect = self._suspect(worker, member)
        others = [other.memory for other in self._members.values() if other.node == member.node]
        was_largest = member.memory >= max(others, default=0)
        if member.farewell is not None:
            why, kind = member.farewell.why, member.farewell.kind
        elif member.killed is not None:
            why = member.killed
        elif member.is_stopping and kind == "crash":
            why, kind = STOPPED, "stopped"
        member.kill(why)
        self._reports.append((WorkerDied(worker, why, kind, suspect, was_largest), None))

    def _suspect(self, worker: int, member: Member) -> Suspect | None:
        """The rows at which it died, if it kept a journal of its oldest unit."""
        assignment = self._assignments[member.segment]
        if not member.attempts or assignment.folder is None:
            return None
        unit, attempt = next(iter(member.attempts.items()))
        return read_journal(journal_path(assignment.folder, assignment.attempt(unit, attempt, worker)))

    def _join(self, told: dict[str, Any]) -> None:
        """Report a node that came, once its GPUs are held; that takes a while, and is not waited for."""
        count = gpus_of(told) if self._uses_gpu else 0
        if not count:
            self._mailbox.put(Answer(-1, _Joined(told), [], None))
            return
        threading.Thread(target=self._hold, args=(told, count), daemon=True).start()

    def _hold(self, told: dict[str, Any], count: int) -> None:
        held = acquire(told["NodeID"], count)
        self._mailbox.put(Answer(-1, _Joined(told), held, None))

    def _lose(self, node: str) -> None:
        for worker in [worker for worker, member in self._members.items() if member.node == node]:
            self._members.pop(worker).kill("its node is gone")
        self._holdings.forget(node)
        self._crew.forget_node(node)
        self._reports.append((NodeDown(node, "Ray has given it up"), None))
