"""The scheduler of one segment: events in, actions out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from gpucurate.scheduling.admission import Admission
from gpucurate.scheduling.policy import Policy
from gpucurate.spec.events import (
    Action,
    Commit,
    Dispatch,
    Event,
    FailRun,
    FailureKind,
    Quarantine,
    SetupFailed,
    SpawnWorker,
    StopRequested,
    StopWorker,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)


class WorkerState(Enum):
    """Life of a worker."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    STOPPING = "stopping"


@dataclass(slots=True)
class _Worker:
    state: WorkerState
    unit: str | None = None


class Core:
    """Which unit goes to which worker, what is tried again, and when the run is over.

    Units are given out in order. A unit whose worker dies, or whose stage raises, goes to
    the front of the queue until it has been tried ``max_attempts`` times; then it is set
    aside. After a death or a lack of memory the last try is made with nothing else in flight:
    a unit that only suffered from its neighbours passes it. Failures of several units in a row
    without one success end the run, as does a failure of storage or configuration, which no
    other unit would be spared. A failure of the input sets the unit aside at once: the file
    will not be another one the next time.

    Args:
        units: (id, bytes) in order of the listing.
        policy: limits.
    """

    def __init__(self, units: Iterable[tuple[str, int]], policy: Policy) -> None:
        self.policy = policy
        self.admission = Admission(policy.budget_bytes)
        self._size = dict(units)
        self._queue = deque(self._size)
        self._attempts: dict[str, int] = {}
        self._workers: dict[int, _Worker] = {}
        self._born = 0
        self._failures_in_a_row = 0
        self._failing: set[str] = set()
        self._isolated: set[str] = set()
        self._stopping = False
        self.retries = 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to wait for."""
        return not self._workers and (self._stopping or not self._queue)

    def start(self) -> list[Action]:
        """The first actions of the run."""
        return list(self._settle())

    def on(self, event: Event) -> list[Action]:
        """What follows from an event."""
        return [*self._handle(event), *self._settle()]

    def _handle(self, event: Event) -> Iterator[Action]:
        match event:
            case WorkerReady(worker):
                held = self._workers.get(worker)
                if held is not None and held.state is WorkerState.STARTING:
                    held.state = WorkerState.IDLE
            case UnitDone(worker, unit):
                yield from self._done(worker, unit)
            case UnitFailed(worker, unit, kind, message):
                if self._release(worker, unit):
                    yield from self._failed(unit, kind, message)
            case SetupFailed(worker, kind, message):
                if worker in self._workers:  # it tears down and ends by itself
                    self._workers[worker] = _Worker(WorkerState.STOPPING)
                    yield from self._fail_run(kind, message)
            case WorkerDied(worker, why):
                yield from self._died(worker, why)
            case StopRequested():
                self._stopping = True

    def _done(self, worker: int, unit: str) -> Iterator[Action]:
        if not self._release(worker, unit):
            return  # a result of a worker that was given up: the unit is somewhere else by now
        self._failures_in_a_row = 0
        self._failing.clear()
        yield Commit(unit)

    def _release(self, worker: int, unit: str) -> bool:
        held = self._workers.get(worker)
        if held is None or held.unit != unit:
            return False
        self._workers[worker] = _Worker(WorkerState.IDLE)
        self.admission.release(unit)
        return True

    def _died(self, worker: int, why: str) -> Iterator[Action]:
        held = self._workers.pop(worker, None)
        if held is None or held.state is WorkerState.STOPPING:
            return
        if held.unit is not None:
            self.admission.release(held.unit)
            yield from self._failed(held.unit, "died", why)
        elif held.state is WorkerState.STARTING:
            yield from self._failure(f"worker {worker}", "died", f"a worker did not start: {why}")

    def _failed(self, unit: str, kind: FailureKind | str, why: str) -> Iterator[Action]:
        if kind in ("storage", "configuration"):
            yield from self._fail_run(kind, why)
            return
        attempts = self._attempts[unit]
        if kind == "input" or attempts >= self.policy.max_attempts:
            yield Quarantine(unit, kind, why, attempts)  # type: ignore[arg-type]
        else:
            self.retries += 1
            self._queue.appendleft(unit)
            if kind in ("died", "memory") and attempts == self.policy.max_attempts - 1:
                self._isolated.add(unit)
        if kind != "input":
            yield from self._failure(unit, kind, why)

    def _failure(self, who: str, kind: str, why: str) -> Iterator[Action]:
        self._failures_in_a_row += 1
        self._failing.add(who)
        policy = self.policy
        if (
            self._failures_in_a_row >= policy.systemic_failures
            and len(self._failing) >= policy.systemic_units
        ):
            yield from self._fail_run(
                kind, f"{why} ({self._failures_in_a_row} failures in a row and no success)"
            )

    def _fail_run(self, kind: str, why: str) -> Iterator[Action]:
        if not self._stopping:
            self._stopping = True
            yield FailRun(kind, why)  # type: ignore[arg-type]

    def _settle(self) -> Iterator[Action]:
        if not self._stopping:
            yield from self._dispatch()
            yield from self._spawn()
        yield from self._stop_idle()

    def _dispatch(self) -> Iterator[Action]:
        idle = [worker for worker, held in self._workers.items() if held.state is WorkerState.IDLE]
        for worker in idle:
            if not self._queue:
                return
            unit, alone = self._queue[0], self._queue[0] in self._isolated
            if not self.admission.admits(self._size[unit], alone=alone):
                return
            self._queue.popleft()
            self._attempts[unit] = self._attempts.get(unit, 0) + 1
            self.admission.take(unit, self._size[unit], alone=alone)
            self._workers[worker] = _Worker(WorkerState.BUSY, unit)
            yield Dispatch(worker, unit, self._attempts[unit])

    def _spawn(self) -> Iterator[Action]:
        waiting = sum(
            held.state in (WorkerState.IDLE, WorkerState.STARTING) for held in self._workers.values()
        )
        wanted = min(len(self._queue) - waiting, self.policy.workers - len(self._workers))
        for _ in range(max(0, wanted)):
            worker, self._born = self._born, self._born + 1
            self._workers[worker] = _Worker(WorkerState.STARTING)
            yield SpawnWorker(worker)

    def _stop_idle(self) -> Iterator[Action]:
        if self._queue and not self._stopping:
            return
        busy = any(held.state is WorkerState.BUSY for held in self._workers.values())
        if busy and not self._stopping:
            return  # what is in flight may fail and come back
        for worker, held in self._workers.items():
            if held.state in (WorkerState.IDLE, WorkerState.STARTING):
                held.state = WorkerState.STOPPING
                yield StopWorker(worker)
