"""All that the scheduler knows; its parts work on one object of it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gpucurate.scheduling.edge import Edge
from gpucurate.scheduling.hosts import Hosts
from gpucurate.scheduling.item import Item
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.scheduling.stretch import Stretch
from gpucurate.scheduling.track_record import TrackRecord
from gpucurate.scheduling.worker import Flight, Worker, WorkerState
from gpucurate.spec.cluster import Ledger, Node
from gpucurate.spec.decision import Decision
from gpucurate.spec.events import Action, FailRun, Release


@dataclass(slots=True)
class State:
    """Units, segments, workers and machines.

    Attributes:
        policy: limits.
        stretches: the segments, in order.
        items: units that are not done, by name.
        ledger: what is taken of the machines.
        hosts: what units in work hold of them.
        workers: all that may still report, by number.
        now: seconds of the caller's clock.
        is_stopping: whether nothing is started any more.
        decisions: since they were last taken.
        retries: tries beyond the first.
        has_ended: whether a segment ran out of work, or got some again, since that was last looked at.
    """

    policy: Policy
    stretches: list[Stretch]
    items: dict[str, Item]
    ledger: Ledger
    hosts: Hosts
    workers: dict[int, Worker] = field(default_factory=dict)
    now: float = 0.0
    is_stopping: bool = False
    decisions: deque[Decision] = field(default_factory=deque)
    retries: int = 0
    has_ended: bool = False
    _later: list[tuple[float, int, str]] = field(default_factory=list)
    _born: int = 0

    @classmethod
    def of(
        cls, lanes: Sequence[Lane], units: Iterable[tuple[str, int]], policy: Policy, nodes: Iterable[Node]
    ) -> State:
        """Nothing has happened yet: all units wait for the first segment."""
        items = {unit: Item(unit, size) for unit, size in units}
        last = len(lanes) - 1
        stretches = [
            Stretch(
                at,
                lane,
                len(items),
                None if at == last else Edge(lane.edge_bytes),
                TrackRecord(lane.expansion, lane.setup_s),
            )
            for at, lane in enumerate(lanes)
        ]
        stretches[0].queue.extend(items)
        return cls(policy, stretches, items, Ledger.of(nodes), Hosts(policy.budget_bytes))

    def decide(self, what: str, segment: int | None, why: str, why_not: str = "", **values: Any) -> None:
        """Record a decision."""
        before, after = values.pop("before", None), values.pop("after", None)
        self.decisions.append(Decision(self.now, what, segment, why, why_not, before, after, values))

    def is_open(self, stretch: Stretch) -> bool:
        """Whether a segment may work: in batch mode, once the one before it has done all units."""
        return not (self.policy.is_batch and stretch.index and self.stretches[stretch.index - 1].remaining)

    def number(self) -> int:
        """A number for a worker, never used before."""
        self._born += 1
        return self._born - 1

    def enlist(self, worker: Worker) -> None:
        """A worker is being started."""
        stretch = self.stretches[worker.segment]
        self.workers[worker.number] = stretch.live[worker.number] = worker
        stretch.workers.add(worker.number)
        self.ledger.take(worker.place, stretch.lane.need)

    def retire(self, worker: Worker, to: WorkerState) -> None:
        """A worker is given nothing more."""
        stretch = self.stretches[worker.segment]
        stretch.roster.remove(worker)
        stretch.live.pop(worker.number, None)
        stretch.successors.discard(worker.number)
        worker.state = to

    def strike(self, worker: Worker) -> None:
        """A worker is no more."""
        stretch = self.stretches[worker.segment]
        self.retire(worker, WorkerState.STOPPING)
        stretch.workers.discard(worker.number)
        self.ledger.give(worker.place, stretch.lane.need)
        del self.workers[worker.number]
        if (old := self.workers.get(-1 if worker.replaces is None else worker.replaces)) is not None:
            old.successor = None
        if (twin := self.workers.get(-1 if worker.successor is None else worker.successor)) is not None:
            self.stands_alone(twin)

    def stands_alone(self, worker: Worker) -> None:
        """A worker is to take nobody's place, or has taken it."""
        worker.replaces = None
        self.stretches[worker.segment].successors.discard(worker.number)

    @property
    def is_settled(self) -> bool:
        """Whether no worker is on its way out."""
        return len(self.workers) == sum(len(stretch.live) for stretch in self.stretches)

    def gang_of(self, worker: Worker) -> list[Worker]:
        """All workers that start and end with one, itself included."""
        if not worker.gang:
            return [worker]
        fellows = (self.workers[number] for number in sorted(self.stretches[worker.segment].workers))
        return [fellow for fellow in fellows if fellow.gang == worker.gang]

    # -- units on their way --------------------------------------------------------------------

    def board(self, worker: Worker, item: Item, working: int, promised: int) -> None:
        """A worker is given a unit."""
        stretch = self.stretches[worker.segment]
        worker.flights[item.unit] = Flight(self.now, working)
        stretch.roster.put(worker)
        stretch.in_flight += 1
        self.hosts.take(worker.place.node, working)
        if stretch.edge is not None:
            stretch.edge.promise(item.unit, promised)

    def land(self, worker: Worker, unit: str) -> Flight:
        """A worker has a unit no more, whatever came of it."""
        stretch = self.stretches[worker.segment]
        flight = worker.flights.pop(unit)
        if worker.state is WorkerState.READY:
            stretch.roster.put(worker)
        stretch.in_flight -= 1
        self.hosts.give(worker.place.node, flight.working)
        if stretch.edge is not None:
            stretch.edge.withdraw(unit)
        if self.items[unit].is_alone:
            self.hosts.unhold(unit)
        return flight

    def put_back(self, units: Iterable[str], *, first: bool = True) -> None:
        """Units wait again for the segment that they are in."""
        for unit in reversed(list(units)) if first else units:
            queue = self.stretches[self.items[unit].segment].queue
            if first:
                if queue and self.items[queue[0]].is_alone:  # what is held for it would keep this one out
                    self.hosts.unhold(queue[0])
                queue.appendleft(unit)
            else:
                queue.append(unit)

    def put_back_later(self, unit: str, delay: float) -> None:
        """A unit waits again, once ``delay`` seconds have passed."""
        heapq.heappush(self._later, (self.now + delay, len(self._later), unit))

    def wake(self) -> None:
        """Units whose wait is over join their queues."""
        while self._later and self._later[0][0] <= self.now:
            unit = heapq.heappop(self._later)[2]
            if unit in self.items:
                self.put_back([unit])

    @property
    def next_wake(self) -> float | None:
        """When the next of them does."""
        return self._later[0][0] if self._later else None

    def restart(self, item: Item, why: str) -> Iterator[Action]:
        """What was made of a unit is lost, and so is all that it was made from: it begins anew."""
        self.decide("retry", item.segment, f"unit {item.unit} is made again: {why}", unit=item.unit)
        self.retries += 1
        if item.is_alone:
            self.hosts.unhold(item.unit)
        yield from self.drop_input(item)
        for stretch in self.stretches[: item.segment]:
            stretch.remaining += 1
        self.has_ended = True
        item.enter(0, None)
        self.put_back([item.unit])

    def drop_input(self, item: Item) -> Iterator[Action]:
        """What the segment before made of a unit is needed no more."""
        if item.segment:
            edge = self.stretches[item.segment - 1].edge
            if edge is not None and edge.take(item.unit):
                yield Release(item.unit, item.segment - 1)

    def forget(self, item: Item) -> Iterator[Action]:
        """A unit is set aside: no segment waits for it any more."""
        if item.is_alone:
            self.hosts.unhold(item.unit)
        yield from self.drop_input(item)
        for stretch in self.stretches[item.segment :]:
            self.passed(stretch)
        del self.items[item.unit]

    def passed(self, stretch: Stretch) -> None:
        """One unit less that a segment has to do."""
        stretch.remaining -= 1
        self.has_ended = self.has_ended or not stretch.remaining

    def fail(self, kind: str, why: str) -> Iterator[Action]:
        """End the run."""
        if not self.is_stopping:
            self.is_stopping = True
            self.decide("fail", None, why)
            yield FailRun(kind, why)  # type: ignore[arg-type]
