"""What a scheduler may ask for: every action is held against what it has been told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gpucurate.backends.sim.errors import IllegalActionError
from gpucurate.backends.sim.roll import Known, Roll
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Node
from gpucurate.spec.events import (
    Action,
    Commit,
    Dispatch,
    Event,
    FailRun,
    InputLost,
    KillWorker,
    NodeDown,
    NodeUp,
    Order,
    Quarantine,
    Release,
    SetupFailed,
    SpawnWorker,
    StopRequested,
    StopWorker,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)


class Laws:
    """Checks actions, and keeps the accounts that the scheduler should keep.

    Args:
        lanes: segments.
        units: (id, bytes).
        policy: limits.
        nodes: machines at the start.

    Attributes:
        roll: workers.
        edges: bytes that wait behind each segment.
        peaks: and the most that ever did.
        committed: units, in order.
        quarantined: units set aside.
        failed: how the run was given up, if it was.
        worked: segments finished, by unit, again after a loss included.
    """

    def __init__(
        self, lanes: Sequence[Lane], units: Sequence[tuple[str, int]], policy: Policy, nodes: Sequence[Node]
    ) -> None:
        self._units = dict(units)
        self._last = len(lanes) - 1
        self._slots = policy.max_slots
        self.roll = Roll(lanes, policy, nodes)
        self.edges = [0] * len(lanes)
        self.peaks = [0] * len(lanes)
        self.committed: dict[str, None] = {}
        self.quarantined: dict[str, Quarantine] = {}
        self.failed: FailRun | None = None
        self.stopped = False
        self.worked: Counter[str] = Counter()
        self.in_flight: dict[str, int] = {}
        self.attempts: dict[tuple[str, int], int] = {}
        self.dispatches: Counter[tuple[str, int]] = Counter()
        self._held: list[dict[str, tuple[int, str]]] = [{} for _ in lanes]
        self._lost: set[tuple[str, int]] = set()
        self._spent: set[tuple[str, int]] = set()
        self._early: set[tuple[str, int]] = set()
        self._done: set[str] = set()
        self._there: defaultdict[str, dict[str, Order]] = defaultdict(dict)
        self._tellers: dict[type, Callable[[Any], None]] = {
            WorkerReady: self._ready,
            WorkerDied: self._died,
            SetupFailed: self._setup_failed,
            UnitDone: self._unit_done,
            UnitFailed: self._unit_failed,
            InputLost: self._input_lost,
            NodeUp: self._node_up,
            NodeDown: self._node_down,
            StopRequested: self._stop_requested,
        }
        self._checks: dict[type, Callable[[Any], None]] = {
            SpawnWorker: self._check_spawn,
            StopWorker: self._check_stop,
            KillWorker: self._check_kill,
            Dispatch: self._check_dispatch,
            Release: self._check_release,
            Commit: self._check_commit,
            Quarantine: self._check_quarantine,
            FailRun: self._check_fail,
        }

    def told(self, event: Event) -> None:
        """The scheduler is about to be told this."""
        if (teller := self._tellers.get(type(event))) is not None:
            teller(event)

    def check(self, actions: Iterable[Action]) -> None:
        """The scheduler asks for this, in this order.

        Raises:
            IllegalActionError: it must not.
        """
        for action in actions:
            self._checks[type(action)](action)
        if self.failed is None and not self.stopped:
            self._check_leftovers()
        self._early.clear()

    def _check_leftovers(self) -> None:
        """In one answer, what is released goes before or after what it is released for."""
        for unit, segment in self._early:
            if unit not in self.quarantined:
                raise IllegalActionError(f"release {unit} of segment {segment}: it is still needed")
        for unit, segment in self._spent:
            raise IllegalActionError(f"segment {segment} of {unit} has been used, and is not released")

    # --- what is told ---

    def _ready(self, event: WorkerReady) -> None:
        worker = self.roll.workers.get(event.worker)
        if worker is not None and worker.state == "starting":
            worker.state = "ready"

    def _setup_failed(self, event: SetupFailed) -> None:
        worker = self.roll.workers.get(event.worker)
        if worker is not None and worker.state == "starting":
            worker.state = "failed"

    def _died(self, event: WorkerDied) -> None:
        self._bury(self.roll.died(event.worker))

    def _bury(self, worker: Known | None) -> None:
        if worker is not None:
            for unit in worker.flight:
                self._land(worker, unit)

    def _land(self, worker: Known, unit: str) -> None:
        del self.in_flight[unit]
        del self._there[worker.place.node][unit]

    def _answered(self, event: UnitDone | UnitFailed | InputLost) -> Known | None:
        """The worker, if its answer counts: a dead or a killed one is not heard."""
        worker = self.roll.workers.get(event.worker)
        if worker is None or worker.state == "killed" or event.unit not in worker.flight:
            return None
        del worker.flight[event.unit]
        self._land(worker, event.unit)
        return worker

    def _unit_failed(self, event: UnitFailed) -> None:
        self._answered(event)

    def _unit_done(self, event: UnitDone) -> None:
        worker = self._answered(event)
        if worker is None:
            return
        self.worked[event.unit] += 1
        segment = worker.segment
        if segment:
            self._spent.add((event.unit, segment - 1))
        if segment == self._last:
            self._done.add(event.unit)
        else:
            self._held[segment][event.unit] = (event.figures.output_bytes, worker.place.node)
            self._count(segment, event.figures.output_bytes)

    def _count(self, segment: int, nbytes: int) -> None:
        self.edges[segment] += nbytes
        self.peaks[segment] = max(self.peaks[segment], self.edges[segment])

    def _input_lost(self, event: InputLost) -> None:
        worker = self._answered(event)
        if worker is not None:
            self._lose(event.unit, worker.segment - 1)

    def _lose(self, unit: str, segment: int) -> None:
        held = self._held[segment].pop(unit, None)
        if held is not None:
            self._count(segment, -held[0])
        self._lost.add((unit, segment))

    def _node_up(self, event: NodeUp) -> None:
        self.roll.nodes[event.node.id] = event.node

    def _node_down(self, event: NodeDown) -> None:
        for worker in self.roll.node_down(event.node):
            self._bury(worker)
        for segment, held in enumerate(self._held):
            for unit in [unit for unit, (_, node) in held.items() if node == event.node]:
                self._lose(unit, segment)

    def _stop_requested(self, event: StopRequested) -> None:
        self.stopped = True

    # --- what is asked for ---

    def _check_spawn(self, action: SpawnWorker) -> None:
        if self.failed is not None or self.stopped:
            raise IllegalActionError(f"spawn worker {action.worker}: the run is to end")
        self.roll.spawn(action)

    def _check_stop(self, action: StopWorker) -> None:
        worker = self.roll.living(action.worker, "stop")
        if worker.flight:
            raise IllegalActionError(f"stop worker {action.worker}: it has {', '.join(worker.flight)}")
        if worker.state in ("stopping", "killed"):
            raise IllegalActionError(f"stop worker {action.worker}: it is {worker.state}")
        worker.state = "stopping"

    def _check_kill(self, action: KillWorker) -> None:
        if action.worker in self.roll.swept:
            self.roll.swept.discard(action.worker)
            return
        worker = self.roll.living(action.worker, "kill")
        if worker.state == "killed":
            raise IllegalActionError(f"kill worker {action.worker}: it was killed before")
        worker.state = "killed"
        self._bury(worker)
        worker.flight.clear()

    def _check_dispatch(self, action: Dispatch) -> None:
        unit, segment, who = action.unit, action.segment, f"dispatch {action.unit} to worker {action.worker}"
        if self.failed is not None or self.stopped:
            raise IllegalActionError(f"{who}: the run is to end")
        worker = self.roll.living(action.worker, f"dispatch {unit} to")
        if worker.state != "ready":
            raise IllegalActionError(f"{who}: it is {worker.state}")
        if worker.gang in self.roll.broken:
            raise IllegalActionError(f"{who}: its gang has lost a member")
        if worker.segment != segment:
            raise IllegalActionError(f"{who}: it runs segment {worker.segment}, not {segment}")
        if len(worker.flight) >= self._slots:
            raise IllegalActionError(f"{who}: it has {len(worker.flight)} of {self._slots} units")
        self._check_unit(unit, segment, who)
        self._check_order(action, who)
        worker.flight[unit] = action.order
        self.in_flight[unit] = action.worker

    def _check_unit(self, unit: str, segment: int, who: str) -> None:
        self._check_open(unit, who)
        if segment and unit not in self._held[segment - 1]:
            raise IllegalActionError(f"{who}: segment {segment - 1} has not made it, or that is gone")
        if unit in self._held[segment]:
            raise IllegalActionError(f"{who}: segment {segment} has done it, and what it made is there")

    def _check_open(self, unit: str, who: str) -> None:
        if unit not in self._units:
            raise IllegalActionError(f"{who}: there is no such unit")
        if unit in self.committed or unit in self.quarantined or unit in self._done:
            raise IllegalActionError(f"{who}: the unit is done with")
        if unit in self.in_flight:
            raise IllegalActionError(f"{who}: worker {self.in_flight[unit]} has the unit")

    def _check_order(self, action: Dispatch, who: str) -> None:
        order, key = action.order, (action.unit, action.segment)
        if order.attempt < max(1, self.attempts.get(key, 0)):
            raise IllegalActionError(f"{who}: attempt {order.attempt} after {self.attempts[key]}")
        self.attempts[key] = order.attempt
        self.dispatches[key] += 1
        if order.batch_cap is not None and (order.batch_cap < 1 or not isinstance(order.batch_cap, int)):
            raise IllegalActionError(f"{who}: batches of at most {order.batch_cap!r} bytes")
        there = self._there[self.roll.workers[action.worker].place.node]
        if (order.alone and there) or any(other.alone for other in there.values()):
            raise IllegalActionError(f"{who}: on its node {', '.join(there)} and one is to be alone")
        there[action.unit] = order

    def _check_release(self, action: Release) -> None:
        key = (action.unit, action.segment)
        held = self._held[action.segment].pop(action.unit, None)
        if key not in self._spent and key not in self._lost:
            self._early.add(key)
        if held is None and key not in self._lost:
            raise IllegalActionError(f"release {action.unit} of segment {action.segment}: it is not there")
        if held is not None:
            self._count(action.segment, -held[0])
        self._spent.discard(key)
        self._lost.discard(key)

    def _check_commit(self, action: Commit) -> None:
        unit = action.unit
        if unit in self.committed:
            raise IllegalActionError(f"commit {unit}: it was committed before")
        if unit in self.quarantined:
            raise IllegalActionError(f"commit {unit}: it was set aside")
        if unit not in self._done:
            raise IllegalActionError(f"commit {unit}: the last segment has not done it")
        self.committed[unit] = None

    def _check_quarantine(self, action: Quarantine) -> None:
        self._check_open(action.unit, "quarantine")
        self.quarantined[action.unit] = action

    def _check_fail(self, action: FailRun) -> None:
        if self.failed is not None:
            raise IllegalActionError(f"fail the run ({action.why}): it has failed ({self.failed.why})")
        self.failed = action

    def left_behind(self) -> list[tuple[str, int]]:
        """What segments made and nobody has released: (unit, segment)."""
        return [(unit, segment) for segment, held in enumerate(self._held) for unit in held]
