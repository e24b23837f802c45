"""The scheduler: events in, actions out.

No clock, thread, file or device: whoever drives it gives the time with each event. The same events
at the same times give the same actions, so a run that went wrong can be gone through again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from gpucurate.scheduling.autoscaler import Autoscaler
from gpucurate.scheduling.dispatching import Dispatcher
from gpucurate.scheduling.failures import Failures, one_line_of, wait_before
from gpucurate.scheduling.item import Item
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.scheduling.recycler import Recycler
from gpucurate.scheduling.staffing import Staffing
from gpucurate.scheduling.state import State
from gpucurate.scheduling.stretch import Stretch
from gpucurate.scheduling.watch import Watch
from gpucurate.scheduling.worker import Worker, WorkerState
from gpucurate.spec.cluster import Node
from gpucurate.spec.decision import Decision
from gpucurate.spec.events import (
    Action,
    Commit,
    Event,
    InputLost,
    KillWorker,
    NodeDown,
    NodeUp,
    SetupFailed,
    StopRequested,
    Tick,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.figures import Figures

MAX_LOSSES = 10
"""So often may a unit be lost through no fault of its own before it is counted as its fault."""

START_FAILURES = 5
"""Workers of a segment that do not start, in a row and with no unit done there meanwhile, end the run."""


class Core:
    """Which unit goes to which worker, how many workers there are, what is tried again, when it is over.

    Args:
        lanes: the segments, in order.
        units: (name, bytes that it is taken to hold in the first segment), in order of the listing.
        policy: limits.
        nodes: machines.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        units: Iterable[tuple[str, int]],
        policy: Policy,
        nodes: Sequence[Node],
    ) -> None:
        self.policy = policy
        self.state = State.of(lanes, units, policy, nodes)
        rng = random.Random(policy.seed)
        self._rng = rng
        self._recycler = Recycler(policy, rng)
        self._dispatcher = Dispatcher(self.state)
        self._staffing = Staffing(self.state, self._dispatcher, Autoscaler(policy), self._recycler)
        self._failures = Failures(self.state)
        self._watch = Watch(self.state)

    # -- what the driver asks ------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether nothing is left to wait for."""
        state = self.state
        return not state.workers and (state.is_stopping or not state.items)

    @property
    def retries(self) -> int:
        """Tries beyond the first."""
        return self.state.retries

    @property
    def peaks(self) -> list[int]:
        """The most bytes that ever waited behind each segment but the last."""
        return [s.edge.peak for s in self.state.stretches if s.edge is not None]

    @property
    def peak_in_flight(self) -> int:
        """The most bytes that units in work were taken to hold of one machine."""
        return self.state.hosts.peak

    def summary(self) -> str:
        """How each segment is doing, in a line."""
        return "; ".join(
            f"{stretch.lane.name}: {len(stretch.queue)} waiting, {stretch.in_flight} in work, "
            f"{len(stretch.workers)} workers"
            for stretch in self.state.stretches
        )

    def take_decisions(self) -> list[Decision]:
        """Decisions since the last call."""
        taken = list(self.state.decisions)
        self.state.decisions.clear()
        return taken

    def next_wake(self) -> float | None:
        """When a ``Tick`` is wanted at the latest, if nothing happens before; None for never."""
        times = [self.state.next_wake, self._watch.next_wake]
        if not self.state.is_stopping and self.state.items:  # else nothing is started or replaced
            times += [self._staffing.next_wake, self._recycler.next_due()]
        return min((time for time in times if time is not None), default=None)

    def start(self, now: float = 0.0) -> list[Action]:
        """The first actions of the run."""
        self.state.now = now
        self._staffing.rescale()
        self._watch.begin()
        impossible = self._impossible()
        if impossible is not None:
            return list(self.state.fail("configuration", impossible))
        return list(self._settle())

    def on(self, event: Event, now: float = 0.0) -> list[Action]:
        """What follows from an event.

        Args:
            event: what happened.
            now: seconds of a clock that does not go back.
        """
        self.state.now = now
        return [*self._handle(event), *self._settle()]

    # -- events --------------------------------------------------------------------------------

    def _handle(self, event: Event) -> Iterator[Action]:
        match event:
            case UnitDone():
                yield from self._done(event)
            case UnitFailed():
                yield from self._unit_failed(event)
            case WorkerReady():
                yield from self._ready(event)
            case WorkerDied():
                yield from self._died(event)
            case SetupFailed():
                yield from self._setup_failed(event)
            case InputLost():
                yield from self._input_lost(event)
            case NodeUp(node):
                self.state.ledger.add(node)
                self._staffing.rescale()
            case NodeDown(node, why):
                yield from self._node_down(node, why)
            case Tick():
                yield from self._tick()
            case StopRequested(why):
                self.state.is_stopping = True

    def _settle(self) -> Iterator[Action]:
        if not self.state.is_stopping:
            yield from self._dispatcher.dispatch()
        yield from self._staffing.settle()

    def is_current(self, worker: int, unit: str) -> bool:
        """Whether a report of a worker about a unit counts: it has not been given up, and has the unit."""
        held = self.state.workers.get(worker)
        return held is not None and unit in held.flights

    def _done(self, event: UnitDone) -> Iterator[Action]:
        if not self.is_current(event.worker, event.unit):
            return  # of a worker that was given up: the unit is somewhere else by now
        state = self.state
        worker, item = state.workers[event.worker], state.items[event.unit]
        stretch = state.stretches[worker.segment]
        self._learn(stretch, worker, item, event.figures)
        state.land(worker, event.unit)
        worker.last_done = state.now
        self._failures.success()
        stretch.start_failures = 0
        state.passed(stretch)
        yield from state.drop_input(item)
        if stretch.edge is None:
            del state.items[event.unit]
            yield Commit(event.unit)
        else:
            stretch.edge.put(event.unit, event.figures.output_bytes)
            item.enter(stretch.index + 1, worker.place.node)
            state.stretches[item.segment].queue.append(event.unit)
        yield from self._after(worker)

    def _learn(self, stretch: Stretch, worker: Worker, item: Item, figures: Figures) -> None:
        given = self._dispatcher.input_bytes(item)
        stretch.record.observe(given, figures.seconds, figures.output_bytes)
        self._recycler.done(worker.number, figures.memory, figures.gpu_memory)
        self._learn_memory(stretch, figures)

    def _learn_memory(self, stretch: Stretch, figures: Figures) -> None:
        for sample in figures.samples:
            change = stretch.memory.observe(sample)
            if change is not None:
                self.state.decide("cap", stretch.index, change.why, before=change.before, after=change.after)

    def _after(self, worker: Worker) -> Iterator[Action]:
        """A worker has one unit less."""
        if worker.state is WorkerState.DRAINING:
            yield from self._staffing.end_drained(worker)
            self._staffing.call()
        elif not self.state.is_stopping:
            yield from self._staffing.recycle(worker)

    def _unit_failed(self, event: UnitFailed) -> Iterator[Action]:
        if not self.is_current(event.worker, event.unit):
            return
        state = self.state
        worker = state.workers[event.worker]
        self._learn_memory(state.stretches[worker.segment], event.figures)
        state.land(worker, event.unit)
        worker.last_done = state.now
        yield from self._failures.failed(state.items[event.unit], event.kind, event.message)
        yield from self._after(worker)

    def _ready(self, event: WorkerReady) -> Iterator[Action]:
        worker = self.state.workers.get(event.worker)
        if worker is None or worker.state is not WorkerState.STARTING:
            return
        state = self.state
        stretch = state.stretches[worker.segment]
        worker.state, worker.last_done, worker.ready_at = WorkerState.READY, state.now, state.now
        stretch.start_failures = 0
        stretch.record.observe_setup(state.now - worker.born)
        if not worker.gang:  # one of a gang is not replaced alone
            self._recycler.ready(worker.number, stretch.index, state.now, event.memory, event.gpu_memory)
        gang = [state.workers[n] for n in stretch.workers if state.workers[n].gang == worker.gang]
        if not worker.gang or all(member.state is WorkerState.READY for member in gang):
            for member in gang if worker.gang else [worker]:
                stretch.roster.put(member)
        yield from self._staffing.succeed(worker)

    def _setup_failed(self, event: SetupFailed) -> Iterator[Action]:
        worker = self.state.workers.get(event.worker)
        if worker is None or worker.state is WorkerState.STOPPING:
            return
        worker.state = WorkerState.STOPPING  # it tears down and ends by itself
        yield from self._did_not_start(worker, event.kind, event.message)

    def _did_not_start(self, worker: Worker, kind: str, why: str) -> Iterator[Action]:
        stretch = self.state.stretches[worker.segment]
        stretch.start_failures += 1
        last = stretch.start_failures >= START_FAILURES
        if last or kind in ("configuration", "storage", "input"):
            yield from self.state.fail(kind, why)
        else:
            self.state.decide(
                "retry", stretch.index, f"worker {worker.number} did not start: {one_line_of(why)}"
            )

    def _died(self, event: WorkerDied) -> Iterator[Action]:
        worker = self.state.workers.get(event.worker)
        if worker is None:
            return
        is_innocent = event.kind == "stopped" or (event.kind == "host_memory" and not event.was_largest)
        if worker.state is WorkerState.STARTING and not is_innocent and event.kind != "unreachable":
            yield from self._did_not_start(worker, "died", f"a worker did not start: {event.why}")
        yield from self._bury(worker, event, charged=not is_innocent)

    def _bury(self, worker: Worker, event: WorkerDied, *, charged: bool) -> Iterator[Action]:
        """A worker is gone: the unit that it was at is suspected, the others wait again."""
        state = self.state
        yield from self._end_gang(worker, event.why)
        units = self._take_from(worker)
        self._remove(worker)
        self._staffing.call()
        if not units:
            return
        first = event.unit if event.unit in units else units[0]
        rest = [unit for unit in units if unit != first]
        self._uncharge(rest)
        state.put_back(rest)
        if not charged:
            yield from self._lost(state.items[first], event.why)
        elif event.kind == "unreachable":
            yield from self._unreachable(state.items[first], event.why)
        else:
            yield from self._failures.failed(state.items[first], "died", event.why, event.suspect)

    def _unreachable(self, item: Item, why: str) -> Iterator[Action]:
        """Nobody knows what became of the worker: the unit waits a little, lest it be the network."""
        if item.attempts >= self.policy.max_attempts:
            yield from self._failures.failed(item, "died", why)
            return
        wait = wait_before(item.attempts, self.policy.backoff_s) * self._rng.uniform(0.75, 1.25)
        self.state.retries += 1
        self.state.decide(
            "retry",
            item.segment,
            f"unit {item.unit}: {one_line_of(why)}; again in {wait:.1f} s",
            unit=item.unit,
        )
        self.state.put_back_later(item.unit, wait)

    def _take_from(self, worker: Worker) -> list[str]:
        units = list(worker.flights)
        for unit in units:
            self.state.land(worker, unit)
        return units

    def _uncharge(self, units: Iterable[str]) -> None:
        for unit in units:
            self.state.items[unit].attempts -= 1

    def _lost(self, item: Item, why: str) -> Iterator[Action]:
        """A unit was interrupted through no fault of its own."""
        item.losses += 1
        if item.losses > MAX_LOSSES:
            yield from self._failures.failed(item, "died", why)
            return
        item.attempts -= 1
        self.state.put_back([item.unit])

    def _remove(self, worker: Worker) -> None:
        state = self.state
        stretch = state.stretches[worker.segment]
        stretch.roster.remove(worker)
        stretch.workers.discard(worker.number)
        state.ledger.give(worker.place, stretch.lane.need)
        self._recycler.gone(worker.number)
        del state.workers[worker.number]
        self._free_machine(worker)
        if (old := state.workers.get(-1 if worker.replaces is None else worker.replaces)) is not None:
            old.successor = None
        if (twin := state.workers.get(-1 if worker.successor is None else worker.successor)) is not None:
            twin.replaces = None

    def _free_machine(self, worker: Worker) -> None:
        """A machine is not held for a unit that nobody there could do any more."""
        state, node = self.state, worker.place.node
        holder = state.items.get(state.hosts[node].held_for or "")
        others = (state.workers[number] for number in state.stretches[worker.segment].workers)
        if (
            holder is not None
            and holder.segment == worker.segment
            and not any(other.is_live and other.place.node == node for other in others)
        ):
            state.hosts.unhold(holder.unit)

    def _end_gang(self, worker: Worker, why: str) -> Iterator[Action]:
        """One of a gang is gone: the others cannot go on without it."""
        if not worker.gang or worker.state is WorkerState.STOPPING:
            return
        state = self.state
        for number in sorted(state.stretches[worker.segment].workers):
            member = state.workers[number]
            is_other = member.gang == worker.gang and member is not worker
            if is_other and member.state is not WorkerState.STOPPING:
                yield from self._give_up(member, f"worker {worker.number} of its gang is gone: {why}")

    def _give_up(self, worker: Worker, why: str, *, charged: bool = False) -> Iterator[Action]:
        """Kill a worker: what it says from now on counts no more. Its place is free once it is gone."""
        state = self.state
        units = self._take_from(worker)
        state.stretches[worker.segment].roster.remove(worker)
        worker.state = WorkerState.STOPPING
        worker.end_by = None  # killed once is enough
        self._recycler.gone(worker.number)
        yield KillWorker(worker.number, why)
        blamed, others = (units[:1], units[1:]) if charged else ([], units)
        self._uncharge(others)
        state.put_back(others)
        for unit in blamed:
            yield from self._failures.failed(state.items[unit], "died", why)

    def _input_lost(self, event: InputLost) -> Iterator[Action]:
        if not self.is_current(event.worker, event.unit):
            return
        state = self.state
        worker, item = state.workers[event.worker], state.items[event.unit]
        state.land(worker, event.unit)
        worker.last_done = state.now
        yield from self._remake(item, event.why)
        yield from self._after(worker)

    def _remake(self, item: Item, why: str) -> Iterator[Action]:
        """What was made of a unit so far is gone."""
        item.losses += 1
        if item.losses > MAX_LOSSES:
            yield from self._failures.failed(item, "died", why)
            return
        self.state.decide("retry", item.segment, f"unit {item.unit} is made again: {why}", unit=item.unit)
        self.state.retries += 1
        yield from self.state.restart(item)
        self._staffing.rescale()

    def _node_down(self, node: str, why: str) -> Iterator[Action]:
        state = self.state
        state.decide("node", None, f"machine {node} is gone: {why}", node=node)
        for number in sorted(n for n, worker in state.workers.items() if worker.place.node == node):
            worker = state.workers.get(number)
            if worker is not None:
                if worker.state is not WorkerState.STOPPING:
                    yield KillWorker(number, why)  # it may go on for a while, and must not
                yield from self._bury(worker, WorkerDied(number, why, "unreachable"), charged=False)
        state.ledger.remove(node)
        state.hosts.remove(node)
        for stretch in state.stretches[1:]:
            for unit in [u for u in stretch.queue if state.items[u].node == node]:
                stretch.queue.remove(unit)
                yield from self._remake(state.items[unit], f"it lay on machine {node}")
        for item in state.items.values():
            if item.node == node:  # in work elsewhere: it may still go well
                item.is_lost = True
        self._staffing.rescale()

    def _tick(self) -> Iterator[Action]:
        state = self.state
        state.wake()
        for worker, why, charged in self._watch.overdue():
            state.decide("kill", worker.segment, f"worker {worker.number}: {why}", worker=worker.number)
            if worker.state is WorkerState.STARTING:
                yield from self._did_not_start(worker, "died", f"worker {worker.number}: {why}")
            yield from self._end_gang(worker, why)
            yield from self._give_up(worker, why, charged=charged)
        if not state.is_stopping:
            for worker in self._watch.aged(self._recycler):
                yield from self._staffing.recycle(worker)
            starved = self._watch.nowhere()
            if starved is not None:
                yield from state.fail("configuration", starved)

    def _impossible(self) -> str | None:
        """A sentence, if a segment fits on no machine even alone."""
        for stretch in self.state.stretches:
            if stretch.remaining and not self.state.ledger.capacity(stretch.lane.need):
                name, need = stretch.lane.name, stretch.lane.need
                return f"no machine can hold a worker of {name}, even alone: it needs {need}"
        return None
