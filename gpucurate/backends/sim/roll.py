"""Workers as the scheduler has been told of them, and the room that they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gpucurate.backends.sim.errors import IllegalActionError
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import MILLI, Need, Node, Place
from gpucurate.spec.events import Order, SpawnWorker


@dataclass(slots=True)
class Known:
    """A worker that has not been reported dead.

    Attributes:
        number: which.
        segment: what it runs.
        place: where.
        gang: which gang, if it is in one.
        state: how it is, as far as has been told.
        flight: units given to it and not answered, in order.
    """

    number: int
    segment: int
    place: Place
    gang: tuple[int, int] | None
    state: Literal["starting", "ready", "failed", "stopping", "killed"] = "starting"
    flight: dict[str, Order] = field(default_factory=dict)


class Roll:
    """Who lives where. A worker takes its room until its death has been reported.

    Args:
        lanes: segments.
        policy: limits.
        nodes: machines at the start.

    Attributes:
        nodes: machines, by name.
        workers: those not reported dead, by number.
        by_segment: how many.
        broken: gangs that have lost a member.
        swept: workers that went with their node: one may still be killed, since it may not know.
    """

    def __init__(self, lanes: Sequence[Lane], policy: Policy, nodes: Sequence[Node]) -> None:
        self._lanes = lanes
        self._policy = policy
        limits = (policy.worker_max_lifetime_s, policy.worker_max_units, policy.worker_max_growth)
        self._spare = int(any(limit is not None for limit in limits))  # a successor, beside whom it replaces
        self.nodes = {node.id: node for node in nodes}
        self.workers: dict[int, Known] = {}
        self.by_segment: Counter[int] = Counter()
        self._born: set[int] = set()
        self._cpus: Counter[str] = Counter()
        self._memory: Counter[str] = Counter()
        self._gpus: Counter[tuple[str, str]] = Counter()
        self.broken: set[tuple[int, int]] = set()
        self.swept: set[int] = set()

    def living(self, number: int, doing: str) -> Known:
        """A worker that an action is about; it must not have been reported dead."""
        worker = self.workers.get(number)
        if worker is None:
            known = "it is dead" if number in self._born else "there never was one"
            raise IllegalActionError(f"{doing} worker {number}: {known}")
        return worker

    def spawn(self, action: SpawnWorker) -> None:
        """Count a worker in; it must be new and fit."""
        who = f"worker {action.worker} of segment {action.segment}"
        if action.worker in self._born:
            raise IllegalActionError(f"spawn {who}: this number has been used")
        if not 0 <= action.segment < len(self._lanes):
            raise IllegalActionError(f"spawn {who}: there are {len(self._lanes)} segments")
        if action.place.node not in self.nodes:
            raise IllegalActionError(f"spawn {who}: no node is called {action.place.node}")
        lane = self._lanes[action.segment]
        self._check_gang(action, lane, who)
        self._born.add(action.worker)
        gang = (action.segment, action.gang) if lane.gang else None
        self.workers[action.worker] = Known(action.worker, action.segment, action.place, gang)
        self.by_segment[action.segment] += 1
        self._take(action.place, lane.need, 1)
        self._check_room(action.place, lane.need, who)
        if lane.max_workers is not None and self.by_segment[action.segment] > lane.max_workers:
            raise IllegalActionError(f"spawn {who}: the segment may have {lane.max_workers} workers")
        if self._policy.workers is not None and len(self.workers) > self._policy.workers + self._spare:
            raise IllegalActionError(f"spawn {who}: the run may have {self._policy.workers} workers")

    def _check_gang(self, action: SpawnWorker, lane: Lane, who: str) -> None:
        if not lane.gang:
            if action.rank is not None:
                raise IllegalActionError(f"spawn {who}: rank {action.rank}, but the segment is no gang")
        elif action.rank is None or not 0 <= action.rank < lane.gang:
            raise IllegalActionError(f"spawn {who}: rank {action.rank} in a gang of {lane.gang}")
        elif (action.segment, action.gang) in self.broken:
            raise IllegalActionError(f"spawn {who}: gang {action.gang} has lost a member")

    def _check_room(self, place: Place, need: Need, who: str) -> None:
        node = self.nodes[place.node]
        for what, taken, there in (
            ("thousandths of cores", self._cpus[node.id], node.cpus_milli),
            ("bytes", self._memory[node.id], node.memory),
        ):
            if taken > there:
                raise IllegalActionError(f"spawn {who}: {taken} of {there} {what} of {node.id} are taken")
        gpus = {gpu.id: gpu for gpu in node.gpus}
        if len(place.gpus) != need.whole_gpus:
            raise IllegalActionError(f"spawn {who}: {len(place.gpus)} GPUs, it needs {need.whole_gpus}")
        for gpu, share in place.gpus:
            if gpu not in gpus or share != need.share_of(gpus[gpu]):
                raise IllegalActionError(f"spawn {who}: {share} thousandths of GPU {gpu} of {node.id}")
            if self._gpus[node.id, gpu] > MILLI:
                raise IllegalActionError(
                    f"spawn {who}: {self._gpus[node.id, gpu]} thousandths of GPU {gpu} of {node.id} are taken"
                )

    def _take(self, place: Place, need: Need, sign: int) -> None:
        self._cpus[place.node] += sign * need.cpus_milli
        self._memory[place.node] += sign * need.memory
        for gpu, share in place.gpus:
            self._gpus[place.node, gpu] += sign * share

    def died(self, number: int) -> Known | None:
        """A death is reported: its room is free. None if it was known."""
        worker = self.workers.pop(number, None)
        if worker is None:
            return None
        self.by_segment[worker.segment] -= 1
        self._take(worker.place, self._lanes[worker.segment].need, -1)
        if worker.gang is not None:
            self.broken.add(worker.gang)
        return worker

    def node_down(self, node: str) -> list[Known]:
        """A node is reported lost, and its workers with it."""
        self.nodes.pop(node, None)
        there = [worker.number for worker in self.workers.values() if worker.place.node == node]
        self.swept.update(there)
        return [dead for number in there if (dead := self.died(number)) is not None]
