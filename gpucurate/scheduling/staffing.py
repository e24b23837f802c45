"""How many workers each segment has, where they are, and when one goes."""

from __future__ import annotations

from collections.abc import Iterator

from gpucurate.scheduling.autoscaler import Autoscaler
from gpucurate.scheduling.clearing import largest_first, victims_for
from gpucurate.scheduling.dispatching import Dispatcher
from gpucurate.scheduling.lane_view import LaneView
from gpucurate.scheduling.recycler import Recycler
from gpucurate.scheduling.state import State
from gpucurate.scheduling.stretch import Stretch
from gpucurate.scheduling.worker import Worker, WorkerState
from gpucurate.spec.cluster import Place, fit_together
from gpucurate.spec.events import Action, SpawnWorker, StopWorker


class Staffing:
    """Starts workers, ends them and replaces them.

    How many a segment is to have is the autoscaler's to say. Where not even one worker of each
    segment fits at a time, they take turns: a segment keeps its workers until it has nothing that
    it could do, and then makes room for one that has.
    """

    def __init__(
        self, state: State, dispatcher: Dispatcher, autoscaler: Autoscaler, recycler: Recycler
    ) -> None:
        self._state = state
        self._dispatcher = dispatcher
        self._autoscaler = autoscaler
        self._recycler = recycler
        self._next_scaling = 0.0
        self._takes_turns = False
        self._gangs = 0
        self._is_due = True
        self._cleared_for: Stretch | None = None

    def call(self) -> None:
        """Something has changed that may ask for other workers."""
        self._is_due = True

    def rescale(self) -> None:
        """Something has changed that may ask for other numbers of them."""
        self._is_due, self._next_scaling = True, self._state.now

    @property
    def next_wake(self) -> float | None:
        """When the numbers are looked at again."""
        return self._next_scaling if len(self._state.stretches) > 1 else None

    def settle(self) -> Iterator[Action]:
        """All starts and ends that are due."""
        if self._state.is_stopping or not self._state.items:
            yield from self._end()
            return
        state = self._state
        if state.has_ended:
            state.has_ended = False
            self.rescale()
        if self._next_scaling <= state.now:
            self._retarget()
            self._is_due = True
        if self._is_due or self._takes_turns:
            self._is_due = False
            yield from self._shrink()
            yield from self._grow()
            yield from self._clear()
        if self._takes_turns:
            yield from self._make_room()

    # -- numbers -------------------------------------------------------------------------------

    def _retarget(self) -> None:
        state = self._state
        self._next_scaling = state.now + state.policy.autoscale_interval_s
        was, self._takes_turns = self._takes_turns, not self._fit_together()
        if self._takes_turns:
            if not was:
                names = ", ".join(s.lane.name for s in self._busy())
                state.decide("time-share", None, f"not even one worker of each of {names} fits at a time")
            return
        views = [self._view(stretch) for stretch in state.stretches]
        targets = self._autoscaler.targets(
            state.now, views, list(state.ledger.nodes.values()), state.policy.workers
        )
        for stretch, count, why, why_not in zip(
            state.stretches, targets.counts, targets.why, targets.why_not, strict=True
        ):
            if count != stretch.target:
                state.decide("scale", stretch.index, why, why_not, before=stretch.target, after=count)
                stretch.target = count

    def _busy(self) -> list[Stretch]:
        return [s for s in self._state.stretches if s.remaining and self._state.is_open(s)]

    def _fit_together(self) -> bool:
        """Whether a worker of each segment that has anything left to do fits, gangs whole."""
        state = self._state
        wanted = [(stretch.lane.need, max(1, stretch.lane.gang)) for stretch in self._busy()]
        limit = state.policy.workers
        if limit is not None and sum(count for _, count in wanted) > limit:
            return False
        return fit_together(state.ledger.nodes.values(), wanted)

    def _view(self, stretch: Stretch) -> LaneView:
        state, lane, record = self._state, stretch.lane, stretch.record
        workers = [state.workers[number] for number in stretch.workers]
        ready = [worker for worker in workers if worker.state is WorkerState.READY]
        after = state.stretches[stretch.index + 1] if stretch.edge is not None else None
        return LaneView(
            name=lane.name,
            need=lane.need,
            is_gpu=lane.need.uses_gpu,
            workers=self._count(stretch),
            ready=len(ready),
            starting=self._count(stretch) - len(ready),
            max_workers=lane.max_workers,
            gang=lane.gang,
            setup_s=record.setup_s,
            seconds_per_unit=record.seconds_per_unit,
            trusted=record.trusted,
            queued=len(stretch.queue),
            in_flight=stretch.in_flight,
            remaining=stretch.remaining if state.is_open(stretch) else 0,
            oldest_age_s=max((worker.age_of_oldest(state.now) for worker in ready), default=0.0),
            is_blocked=stretch.blocked_since is not None,
            consumer_starved=after is None or not (after.queue or after.in_flight),
            ready_for_s=min((state.now - worker.ready_at for worker in ready), default=0.0),
        )

    # -- starting ------------------------------------------------------------------------------

    def _grow(self) -> Iterator[Action]:
        """One worker of each segment in turn, so that neighbours come to lie on the same GPU."""
        order = list(reversed(self._state.stretches)) if self._takes_turns else self._lacking_first()
        if self._still_clears():
            order = [stretch for stretch in order if stretch is self._cleared_for]
        missing = {stretch.index: self._missing(stretch) for stretch in order}
        while any(missing.values()):
            for stretch in order:
                if missing[stretch.index]:
                    started = list(self._start(stretch))
                    yield from started
                    missing[stretch.index] -= len(started) or missing[stretch.index]

    def _still_clears(self) -> bool:
        """Whether room is being made for a segment: nobody else takes what has become free of it."""
        stretch = self._cleared_for
        if stretch is None or stretch.workers or self._state.is_settled:
            self._cleared_for = None
            return False
        return True

    def _clear(self) -> Iterator[Action]:
        """Clear a node for a segment without a worker that fits the cluster, but not where others are.

        Spare workers go first. The last one of another segment only goes for a larger one, so that no two
        chase each other.
        """
        state = self._state
        if self._takes_turns or not state.is_settled:
            return  # wait for those that are on their way out
        for stretch in largest_first(self._state.stretches):
            if stretch.workers or not self._missing(stretch):
                continue
            victims = () if stretch.lane.gang else victims_for(state, stretch)
            for number in victims:
                worker = state.workers[number]
                state.decide(
                    "evict", worker.segment, f"worker {number} on {worker.place.node} makes room for "
                    f"{stretch.lane.name}, which has no worker and finds no place", worker=number,
                )  # fmt: skip
                yield from self.drain(worker)
            if victims:
                self._cleared_for = stretch
                return
        yield from self._make_room()  # gangs in the way, or one that has no room: those that idle go

    def _lacking_first(self) -> list[Stretch]:
        """Those without a worker, the largest first, as they are the hardest to place."""
        lacking = [stretch for stretch in largest_first(self._state.stretches) if not stretch.workers]
        return lacking + [stretch for stretch in self._state.stretches if stretch.workers]

    def _missing(self, stretch: Stretch) -> int:
        """Workers that a segment is short of."""
        lane = stretch.lane
        if not stretch.remaining or not self._state.is_open(stretch):
            return 0
        if not self._takes_turns:
            wanted = min(stretch.target, max(stretch.remaining, lane.gang))
        elif self._dispatcher.can_run(stretch):
            wanted = lane.gang or min(stretch.remaining, lane.max_workers or stretch.remaining)
        else:
            return 0
        return max(0, wanted - self._count(stretch))

    def _count(self, stretch: Stretch) -> int:
        """Workers of a segment, those not counted that are to take another's place."""
        return len(stretch.live) - len(stretch.successors)

    def _start(self, stretch: Stretch) -> Iterator[Action]:
        if stretch.lane.gang:
            yield from self._start_gang(stretch)
        elif (place := self._place(stretch)) is not None:
            yield self._spawn(stretch, place)

    def _place(self, stretch: Stretch, more: int = 0) -> Place | None:
        """Where another worker of a segment fits, near those of its neighbours.

        Args:
            stretch: the segment.
            more: workers that are about to start besides; -1 for one that is about to go.
        """
        state, limit = self._state, stretch.lane.max_workers
        if limit is not None and len(stretch.workers) + max(0, more) >= limit:
            return None  # those that are still going count
        limit = state.policy.workers
        if limit is not None and len(state.workers) + more >= limit:
            return None
        return state.ledger.place(stretch.lane.need, self._near(stretch))

    def _near(self, stretch: Stretch) -> list[Place]:
        """Places to share a GPU or a machine with; workers of the CPU go where most is free."""
        if not stretch.lane.need.uses_gpu:
            return []
        at = stretch.index
        beside = [s for s in self._state.stretches if abs(s.index - at) == 1 and s.lane.need.uses_gpu]
        return [worker.place for other in beside for worker in other.live.values()]

    def _spawn(self, stretch: Stretch, place: Place, rank: int | None = None) -> SpawnWorker:
        state = self._state
        number = state.number()
        gang = self._gangs if rank is not None else 0
        state.enlist(Worker(number, stretch.index, place, state.now, gang))
        return SpawnWorker(number, stretch.index, place, rank, gang, stretch.lane.gang or 1)

    def _start_gang(self, stretch: Stretch) -> Iterator[Action]:
        """All of a gang, or none of it."""
        if stretch.workers:
            return  # the gang before is still going
        places = self._places(stretch)
        self._gangs += bool(places)
        for rank, place in enumerate(places):
            yield self._spawn(stretch, place, rank)

    def _places(self, stretch: Stretch) -> list[Place]:
        """Where another worker of a segment fits, or a gang; empty if it does not."""
        state, need = self._state, stretch.lane.need
        wanted = stretch.lane.gang or 1
        places: list[Place] = []
        while len(places) < wanted and (place := self._place(stretch, more=len(places))) is not None:
            state.ledger.take(place, need)
            places.append(place)
        for place in places:
            state.ledger.give(place, need)
        return places if len(places) == wanted else []

    # -- ending --------------------------------------------------------------------------------

    def stop(self, worker: Worker) -> Iterator[Action]:
        """End a worker that has nothing."""
        self._state.retire(worker, WorkerState.STOPPING)
        self._recycler.gone(worker.number)
        worker.end_by = self._state.now + self._state.policy.drain_s
        yield StopWorker(worker.number, worker.is_worn)

    def drain(self, worker: Worker) -> Iterator[Action]:
        """Give a worker nothing more, and end it when it has done what it has; a gang as a whole.

        It may take as long as any unit may: were it killed for being slow, a unit that takes longer than
        workers live would never be done.
        """
        state = self._state
        for member in state.gang_of(worker):
            if member.is_live:
                state.retire(member, WorkerState.DRAINING)
                self._recycler.gone(member.number)
        yield from self.end_drained(worker)

    def end_drained(self, worker: Worker) -> Iterator[Action]:
        """End a worker that was to drain, once it has nothing; a gang once none of it has anything."""
        members = self._state.gang_of(worker)
        if not any(member.flights for member in members):
            for member in members:
                if member.state is WorkerState.DRAINING:
                    yield from self.stop(member)

    def _is_idle(self, worker: Worker) -> bool:
        """Whether a worker can end now: one of a gang is needed as long as another works."""
        return worker.is_live and not any(member.flights for member in self._state.gang_of(worker))

    def _shrink(self) -> Iterator[Action]:
        for stretch in self._state.stretches:
            if self._takes_turns and stretch.remaining:
                continue
            excess = self._count(stretch) - (stretch.target if stretch.remaining else 0)
            if excess > 0:
                yield from self._drain_some(stretch, excess)

    def _drain_some(self, stretch: Stretch, excess: int) -> Iterator[Action]:
        """Those that have least to do go first, and of them the youngest: the others are warm."""
        counted = (worker for worker in stretch.live.values() if worker.replaces is None)
        for worker in sorted(counted, key=lambda worker: (worker.load, -worker.number))[:excess]:
            if worker.is_live:  # else it has gone with its gang
                yield from self.drain(worker)

    def _make_room(self) -> Iterator[Action]:
        """End idle workers of segments that can do nothing, where another could and has no worker."""
        for stretch in reversed(self._state.stretches):
            lacks = not stretch.workers and self._missing(stretch)
            if lacks and self._dispatcher.can_run(stretch) and not self._places(stretch):
                yield from self._make_room_for(stretch)

    def _make_room_for(self, stretch: Stretch) -> Iterator[Action]:
        for other in self._state.stretches:
            if other is stretch or self._dispatcher.can_run(other) or not other.workers:
                continue
            idle = [worker for worker in other.roster.idle() if self._is_idle(worker)]
            if idle:
                self._state.decide(
                    "time-share",
                    other.index,
                    f"{len(idle)} idle workers of {other.lane.name} make room for {stretch.lane.name}, "
                    f"which has {len(stretch.queue)} units waiting and no place",
                )
            for worker in idle:
                yield from self.stop(worker)

    def _end(self) -> Iterator[Action]:
        for worker in list(self._state.workers.values()):
            if self._is_idle(worker):
                yield from self.stop(worker)

    # -- replacing -----------------------------------------------------------------------------

    def recycle(self, worker: Worker) -> Iterator[Action]:
        """Replace a worker that is due: its successor is started first, where there is room for it."""
        state = self._state
        if worker.state is not WorkerState.READY or worker.successor is not None or worker.gang:
            return
        why = self._recycler.due(worker.number, state.now)
        if why is None:
            return
        stretch = state.stretches[worker.segment]
        self._recycler.recycled(worker.number, state.now)
        worker.is_worn = True
        is_needed = stretch.remaining > worker.load
        place = self._place(stretch, more=-1) if is_needed else None
        if place is None:
            state.decide(
                "recycle", stretch.index, f"worker {worker.number}: {why}",
                "no room for its successor beside it: it goes first" if is_needed
                else "no successor: nothing is left for one", worker=worker.number,
            )  # fmt: skip
            yield from self.drain(worker)
            self.call()
            return
        spawned = self._spawn(stretch, place)
        worker.successor = spawned.worker
        state.workers[spawned.worker].replaces = worker.number
        stretch.successors.add(spawned.worker)
        state.decide("recycle", stretch.index, f"worker {worker.number}: {why}", worker=worker.number,
                     successor=spawned.worker)  # fmt: skip
        yield spawned

    def succeed(self, worker: Worker) -> Iterator[Action]:
        """A worker is ready: the one that it replaces goes."""
        if worker.replaces is not None:
            old = self._state.workers.get(worker.replaces)
            self._state.stands_alone(worker)
            if old is not None and old.state is WorkerState.READY:
                yield from self.drain(old)
