"""What takes too long: units, setups, drains; and segments that fit nowhere any more."""

from __future__ import annotations

from collections.abc import Iterator

from gpucurate.scheduling.recycler import Recycler
from gpucurate.scheduling.state import State
from gpucurate.scheduling.worker import Worker, WorkerState

LOOK_S = 1.0
"""Seconds between looks, or a quarter of the time that a stall may last."""


class Watch:
    """Looks at all workers at every ``Tick``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._next = 0.0
        self._homeless_since: float | None = None

    @property
    def next_wake(self) -> float:
        """When it wants to look again."""
        return self._next

    def begin(self) -> None:
        """The next look is one interval away."""
        self._next = self._state.now + min(LOOK_S, self._state.policy.stall_s / 4)

    def overdue(self) -> Iterator[tuple[Worker, str, bool]]:
        """Workers to be killed: why, and whether the unit that it is at is to blame."""
        self.begin()
        for worker in list(self._state.workers.values()):
            found = self._fault(worker)
            if found is not None:
                yield worker, *found

    def _fault(self, worker: Worker) -> tuple[str, bool] | None:
        state, policy = self._state, self._state.policy
        if worker.state is WorkerState.STARTING:
            limit = policy.gang_setup_s if worker.gang else policy.stall_s
            late = state.now - worker.born > limit
            return (f"it was not set up within {limit:g} s", False) if late else None
        if worker.end_by is not None and state.now > worker.end_by:
            return f"it was told to end, and did not within {policy.drain_s:g} s", False
        if worker.flights:
            slowest = state.stretches[worker.segment].record.slow_seconds or 0.0
            limit = max(policy.stall_s, 10 * slowest)
            age = worker.age_of_oldest(state.now)
            if age > limit:
                return f"nothing was heard of its unit for {age:.1f} s, and {limit:.1f} s are allowed", True
        return None

    def aged(self, recycler: Recycler) -> list[Worker]:
        """Workers that may be due to be replaced for their age."""
        due = recycler.next_due()
        if due is None or due > self._state.now:
            return []
        return [worker for worker in self._state.workers.values() if worker.state is WorkerState.READY]

    def nowhere(self) -> str | None:
        """A sentence, once a segment has fitted on no machine for as long as a stall may last."""
        state = self._state
        homeless = next(
            (
                stretch
                for stretch in state.stretches
                if stretch.remaining
                and not stretch.workers
                and state.ledger.capacity(stretch.lane.need) < (stretch.lane.gang or 1)
            ),
            None,
        )
        if homeless is None:
            self._homeless_since = None
            return None
        if self._homeless_since is None:
            self._homeless_since = state.now
        waited = state.now - self._homeless_since
        if waited < state.policy.stall_s:
            return None
        name, gang = homeless.lane.name, homeless.lane.gang
        if gang and state.ledger.capacity(homeless.lane.need):
            return f"the machines that are left cannot hold {gang} workers of {name}, for {waited:.0f} s now"
        return f"no machine is left that can hold a worker of {name}, for {waited:.0f} s now"
