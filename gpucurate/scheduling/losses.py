"""What follows when workers, machines, or what lay on them are lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from gpucurate.scheduling.failures import Failures, one_line_of, wait_before
from gpucurate.scheduling.item import Item
from gpucurate.scheduling.recycler import Recycler
from gpucurate.scheduling.staffing import Staffing
from gpucurate.scheduling.state import State
from gpucurate.scheduling.worker import Worker, WorkerState
from gpucurate.spec.events import Action, KillWorker, WorkerDied

MAX_LOSSES = 10
"""So often may a unit be lost through no fault of its own before it is counted as its fault."""

START_FAILURES = 5
"""Workers of a segment that do not start, in a row and with no unit done there meanwhile, end the run."""


class Losses:
    """Puts units back that were with a worker, and makes again what is gone.

    Only the unit that a dead worker was at is charged with a try, and it only if the worker was not told to
    go: what a machine takes along, or a lack of its memory that another worker caused, is nobody's fault.
    """

    def __init__(
        self, state: State, failures: Failures, staffing: Staffing, recycler: Recycler, rng: Random
    ) -> None:
        self._state = state
        self._failures = failures
        self._staffing = staffing
        self._recycler = recycler
        self._rng = rng

    def did_not_start(self, worker: Worker, kind: str, why: str) -> Iterator[Action]:
        """A worker could not be set up; the run ends where that goes on."""
        stretch = self._state.stretches[worker.segment]
        stretch.start_failures += 1
        last = stretch.start_failures >= START_FAILURES
        if last or kind in ("configuration", "storage", "input"):
            yield from self._state.fail(kind, why)
        else:
            self._state.decide(
                "retry", stretch.index, f"worker {worker.number} did not start: {one_line_of(why)}"
            )

    def bury(self, worker: Worker, event: WorkerDied, *, charged: bool) -> Iterator[Action]:
        """A worker is gone: the unit that it was at is suspected, the others wait again."""
        state = self._state
        yield from self.end_gang(worker, event.why)
        units = self._take_from(worker)
        self._remove(worker)
        self._staffing.call()
        if worker.blamed in state.items:
            yield from self._failures.failed(state.items[worker.blamed], "died", event.why, event.suspect)
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

    def give_up(
        self, worker: Worker, why: str, *, charged: bool = False, is_stuck: bool = False
    ) -> Iterator[Action]:
        """Kill a worker: what it says from now on counts no more. Its place is free once it is gone.

        Args:
            worker: which.
            why: a sentence.
            charged: whether the unit that it is at is to blame. What follows for that is decided once the
                worker is dead, since only then it is known which documents it was at.
            is_stuck: whether it does not go on.
        """
        state = self._state
        units = self._take_from(worker)
        state.retire(worker, WorkerState.STOPPING)
        worker.end_by = None  # killed once is enough
        self._recycler.gone(worker.number)
        yield KillWorker(worker.number, why, is_stuck)
        if charged and units:
            worker.blamed = units.pop(0)
        self._uncharge(units)
        state.put_back(units)

    def end_gang(self, worker: Worker, why: str) -> Iterator[Action]:
        """One of a gang is gone: the others cannot go on without it."""
        if not worker.gang or worker.state is WorkerState.STOPPING:
            return
        state = self._state
        for number in sorted(state.stretches[worker.segment].workers):
            member = state.workers[number]
            is_other = member.gang == worker.gang and member is not worker
            if is_other and member.state is not WorkerState.STOPPING:
                yield from self.give_up(member, f"worker {worker.number} of its gang is gone: {why}")

    def node_down(self, node: str, why: str) -> Iterator[Action]:
        """A machine is gone, with its workers, and whatever lay there is made again."""
        state = self._state
        state.decide("node", None, f"machine {node} is gone: {why}", node=node)
        for number in sorted(n for n, worker in state.workers.items() if worker.place.node == node):
            worker = state.workers.get(number)
            if worker is not None:
                if worker.state is not WorkerState.STOPPING:
                    yield KillWorker(number, why)  # it may go on for a while, and must not
                yield from self.bury(worker, WorkerDied(number, why, "unreachable"), charged=False)
        state.ledger.remove(node)
        state.hosts.remove(node)
        for stretch in state.stretches[1:]:
            for unit in [u for u in stretch.queue if state.items[u].node == node]:
                stretch.queue.remove(unit)
                yield from self.remake(state.items[unit], f"it lay on machine {node}")
        for item in state.items.values():
            if item.node == node:  # in work elsewhere: it may still go well
                item.is_lost = True
        self._staffing.rescale()

    def remake(self, item: Item, why: str) -> Iterator[Action]:
        """What was made of a unit so far is gone."""
        item.losses += 1
        if item.losses > MAX_LOSSES:
            yield from self._failures.failed(item, "died", why)
            return
        yield from self._state.restart(item, why)
        self._staffing.rescale()

    def _lost(self, item: Item, why: str) -> Iterator[Action]:
        """A unit was interrupted through no fault of its own."""
        item.losses += 1
        if item.losses > MAX_LOSSES:
            yield from self._failures.failed(item, "died", why)
            return
        item.attempts -= 1
        self._state.put_back([item.unit])

    def _unreachable(self, item: Item, why: str) -> Iterator[Action]:
        """Nobody knows what became of the worker: the unit waits a little, lest it be the network."""
        if item.attempts >= self._state.policy.max_attempts:
            yield from self._failures.failed(item, "died", why)
            return
        wait = wait_before(item.attempts, self._state.policy.backoff_s) * self._rng.uniform(0.75, 1.25)
        self._state.retries += 1
        self._state.decide(
            "retry",
            item.segment,
            f"unit {item.unit}: {one_line_of(why)}; again in {wait:.1f} s",
            unit=item.unit,
        )
        self._state.put_back_later(item.unit, wait)

    def _take_from(self, worker: Worker) -> list[str]:
        units = list(worker.flights)
        for unit in units:
            self._state.land(worker, unit)
        return units

    def _uncharge(self, units: Iterable[str]) -> None:
        for unit in units:
            self._state.items[unit].attempts -= 1

    def _remove(self, worker: Worker) -> None:
        self._recycler.gone(worker.number)
        if worker.replaces is not None:
            self._recycler.stays(worker.replaces)
        self._state.strike(worker)
        self._free_machine(worker)

    def _free_machine(self, worker: Worker) -> None:
        """A machine is not held for a unit that nobody there could do any more."""
        state, node = self._state, worker.place.node
        holder = state.items.get(state.hosts[node].held_for or "")
        others = (state.workers[number] for number in state.stretches[worker.segment].workers)
        if (
            holder is not None
            and holder.segment == worker.segment
            and not any(other.is_live and other.place.node == node for other in others)
        ):
            state.hosts.unhold(holder.unit)
