"""The scheduler: events in, actions out.

No clock, thread, file or device: whoever drives it gives the time with each event. The same events
at the same times give the same actions, so a run that went wrong can be gone through again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from gpucurate.scheduling.autoscaler import Autoscaler
from gpucurate.scheduling.dispatching import Dispatcher
from gpucurate.scheduling.failures import Failures
from gpucurate.scheduling.item import Item
from gpucurate.scheduling.losses import Losses
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
        self._recycler = Recycler(policy, rng)
        self._dispatcher = Dispatcher(self.state)
        self._staffing = Staffing(self.state, self._dispatcher, Autoscaler(policy), self._recycler)
        self._failures = Failures(self.state)
        self._losses = Losses(self.state, self._failures, self._staffing, self._recycler, rng)
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
                yield from self._losses.node_down(node, why)
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
        self._recycler.done(worker.number, figures.memory, figures.gpu_memory, figures.growth)
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
        stretch.record.observe_setup(state.now - worker.born)
        if not worker.gang:  # one of a gang is not replaced alone
            self._recycler.ready(
                worker.number,
                stretch.index,
                state.now,
                memory=event.memory,
                gpu_memory=event.gpu_memory,
                stages=stretch.lane.stages,
            )
        gang = state.gang_of(worker)
        if all(member.state is WorkerState.READY for member in gang):
            stretch.start_failures = 0
            for member in gang:
                stretch.roster.put(member)
        yield from self._staffing.succeed(worker)

    def _setup_failed(self, event: SetupFailed) -> Iterator[Action]:
        worker = self.state.workers.get(event.worker)
        if worker is None or worker.state is WorkerState.STOPPING:
            return
        yield from self._losses.end_gang(worker, event.message)
        self.state.retire(worker, WorkerState.STOPPING)  # it tears down and ends by itself
        yield from self._losses.did_not_start(worker, event.kind, event.message)

    def _died(self, event: WorkerDied) -> Iterator[Action]:
        worker = self.state.workers.get(event.worker)
        if worker is None:
            return
        is_innocent = event.kind == "stopped" or (event.kind == "host_memory" and not event.was_largest)
        if worker.state is WorkerState.STARTING and not is_innocent and event.kind != "unreachable":
            yield from self._losses.did_not_start(worker, "died", f"a worker did not start: {event.why}")
        yield from self._losses.bury(worker, event, charged=not is_innocent)

    def _input_lost(self, event: InputLost) -> Iterator[Action]:
        if not self.is_current(event.worker, event.unit):
            return
        state = self.state
        worker, item = state.workers[event.worker], state.items[event.unit]
        state.land(worker, event.unit)
        worker.last_done = state.now
        yield from self._losses.remake(item, event.why)
        yield from self._after(worker)

    def _tick(self) -> Iterator[Action]:
        state = self.state
        state.wake()
        for worker, why, charged in self._watch.overdue():
            state.decide("kill", worker.segment, f"worker {worker.number}: {why}", worker=worker.number)
            if worker.state is WorkerState.STARTING:
                yield from self._losses.did_not_start(worker, "died", f"worker {worker.number}: {why}")
            yield from self._losses.end_gang(worker, why)
            yield from self._losses.give_up(worker, why, charged=charged, is_stuck=True)
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
