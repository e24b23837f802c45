"""Which unit goes to which worker."""

from __future__ import annotations

from collections.abc import Iterator

from gpucurate.scheduling.item import Item
from gpucurate.scheduling.state import State
from gpucurate.scheduling.stretch import Stretch
from gpucurate.scheduling.worker import Worker
from gpucurate.spec.cluster import MILLI
from gpucurate.spec.events import Action, Dispatch, Order


class Dispatcher:
    """Gives units to workers, the deepest segment first.

    A unit is given out when what it is taken to make fits the edge behind its segment, or that edge
    is empty and nobody works for it; and when what it holds fits its machine, or nothing else is in
    work there. The head of a queue is never passed over: a large unit waits, and does not starve.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def dispatch(self) -> Iterator[Action]:
        """All that can be given out now."""
        for stretch in self.in_order():
            if stretch.queue and len(stretch.roster) and self._state.is_open(stretch):
                yield from self._serve(stretch)

    def in_order(self) -> Iterator[Stretch]:
        """Segments in the order in which they are served: drain first."""
        return reversed(self._state.stretches)

    def _serve(self, stretch: Stretch) -> Iterator[Action]:
        state = self._state
        while stretch.queue:
            item = state.items[stretch.queue[0]]
            if item.is_lost:
                stretch.queue.popleft()
                yield from state.restart(item, f"it lay on machine {item.node}, which is gone")
                continue
            promised = self._promised(stretch, item)
            if not self.admits(stretch, promised):
                if stretch.blocked_since is None:
                    stretch.blocked_since = state.now
                if item.is_alone:  # who empties the edge may be on the machine that was held
                    state.hosts.unhold(item.unit)
                return
            stretch.blocked_since = None
            working = self._working(stretch, item)
            worker = self._worker_for(stretch, item, working)
            if worker is None:
                return
            stretch.queue.popleft()
            item.attempts += 1
            item.dispatches += 1
            state.board(worker, item, working, promised)
            yield Dispatch(worker.number, item.unit, stretch.index, self._order(stretch, item))

    def can_run(self, stretch: Stretch) -> bool:
        """Whether a worker of the segment would be given something."""
        if not stretch.queue or not self._state.is_open(stretch):
            return False
        head = self._state.items[stretch.queue[0]]
        return self.admits(stretch, self._promised(stretch, head))

    def admits(self, stretch: Stretch, promised: int) -> bool:
        """Whether what a unit will make fits behind its segment.

        In batch mode always: who would empty the edge begins only when all units are there.
        """
        return stretch.edge is None or self._state.policy.is_batch or stretch.edge.admits(promised)

    def _order(self, stretch: Stretch, item: Item) -> Order:
        cap = stretch.memory.cap(stretch.lane.gpu_limit)
        return Order(item.dispatches, cap, item.is_bisected, item.suspects, item.is_alone)

    def input_bytes(self, item: Item) -> int:
        """Bytes that a unit brings into its segment."""
        if not item.segment:
            return item.size
        edge = self._state.stretches[item.segment - 1].edge
        return 0 if edge is None else edge.size_of(item.unit)

    def _promised(self, stretch: Stretch, item: Item) -> int:
        if stretch.edge is None:
            return 0
        return stretch.record.estimate(self.input_bytes(item))

    def _working(self, stretch: Stretch, item: Item) -> int:
        return self.input_bytes(item) * stretch.lane.working // MILLI

    def _worker_for(self, stretch: Stretch, item: Item, working: int) -> Worker | None:
        state = self._state
        if item.is_alone and not self._hold(stretch, item):
            return None
        hosts = state.hosts
        return stretch.roster.least(
            self._slots(stretch),
            lambda worker: hosts.admits(worker.place.node, working, item.unit, alone=item.is_alone),
        )

    def _hold(self, stretch: Stretch, item: Item) -> bool:
        """Keep a machine for a unit that is to be alone; False if no worker could take it on any."""
        state = self._state
        nodes = {
            state.workers[number].place.node for number in stretch.workers if state.workers[number].is_live
        }
        held = state.hosts.holder_of(item.unit)
        if held is not None and held not in nodes:
            state.hosts.unhold(item.unit)
            held = None
        if held is None:
            free = [node for node in sorted(nodes) if state.hosts[node].held_for is None]
            if not free:
                return False
            state.hosts.hold(min(free, key=lambda node: state.hosts[node].flights), item.unit)
        return True

    def _slots(self, stretch: Stretch) -> int:
        """Units that a worker of a segment may have: more than one where units are short.

        While few wait, none is given ahead: whoever is first to finish takes the next.
        """
        policy = self._state.policy
        seconds = stretch.record.seconds_per_unit
        if policy.max_slots == 1 or seconds is None or len(stretch.queue) <= len(stretch.roster):
            return 1
        return max(1, min(policy.max_slots, 1 + int(policy.slot_seconds / max(seconds, 1e-6))))
