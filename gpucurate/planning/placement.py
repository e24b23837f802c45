"""How many workers a segment has when the machines are full, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gpucurate.planning.costs import Costs
from gpucurate.planning.feasibility import check_feasible, time_sharing
from gpucurate.planning.layout import Edge, EdgeKind, Layout
from gpucurate.planning.volume import segment_seconds
from gpucurate.spec.cluster import MILLI, UNLIMITED, Ledger, Node, Place
from gpucurate.spec.plan import Plan, Segment

GRAIN = 16
"""Workers are added by sixteenths of those there are, so that thousands take no longer than dozens."""


def place(plan: Plan, nodes: Sequence[Node], costs: Costs | None = None) -> Layout:
    """All workers of a plan, at full size.

    First one worker of each segment (a gang whole), then those on GPUs as long as one fits, then those
    on the CPU: always one of the segment that is slowest with the workers it has. Where the cost of one is
    not known, all on its device are taken to be equally slow. Segments that do not fit together take turns.

    Args:
        plan: what runs.
        nodes: machines, with nothing taken.
        costs: of an earlier run, if there was one.

    Raises:
        ConfigurationError: a segment that fits nowhere, even alone.
    """
    check_feasible(plan, nodes)
    phases = time_sharing(plan, nodes)
    seconds = segment_seconds(plan, costs)
    places: dict[int, list[Place]] = {}
    for phase in phases:
        segments = [plan.segments[at] for at in phase]
        growth = _Growth(nodes, segments, _weights(segments, seconds))
        places |= growth.places
    layout = tuple(tuple(places[segment.index]) for segment in plan.segments)
    return Layout(tuple(nodes), layout, phases, tuple(_edges(plan, layout, phases)))


class _Growth:
    """The workers of one phase, which has all machines.

    Args:
        nodes: the machines.
        segments: which live side by side.
        weights: of each, how long its work takes in one worker.
    """

    def __init__(self, nodes: Sequence[Node], segments: Sequence[Segment], weights: dict[int, float]) -> None:
        self._weights = weights
        self._reset(nodes, segments)
        cores = max(1, sum(node.cpus_milli for node in nodes) // MILLI)
        self._limits = {s.index: s.gang or s.max_workers or _most(s, cores) for s in segments}
        if not self._reserve(segments, near=True):  # what lies near may be needed by another
            self._reset(nodes, segments)
            self._reserve(segments, near=False)
        self._grow([segment for segment in segments if segment.device == "cuda"])
        self._grow([segment for segment in segments if segment.device == "cpu"])

    def _reset(self, nodes: Sequence[Node], segments: Sequence[Segment]) -> None:
        self.places: dict[int, list[Place]] = {segment.index: [] for segment in segments}
        self._ledger = Ledger.of(nodes)
        self._beside: dict[tuple[int, str], set[str]] = {}
        self._open: dict[int, dict[str, None]] = {
            s.index: dict.fromkeys(n.id for n in nodes) for s in segments
        }

    def _reserve(self, segments: Sequence[Segment], *, near: bool) -> bool:
        """One worker of each segment, gangs whole, in the order of :func:`fit_together`; whether all fit."""
        for segment in sorted(segments, key=lambda s: s.need.size, reverse=True):
            for _ in range(max(1, segment.gang)):
                found = self._ledger.place(segment.need, self._neighbours(segment) if near else ())
                if found is None:
                    return False
                self._add(segment, found)
        return True

    def _grow(self, segments: list[Segment]) -> None:
        growing = {segment.index: segment for segment in segments}
        while growing:
            slowest = min(growing, key=lambda at: (len(self.places[at]) / self._weights[at], at))
            wanted = min(self._step(slowest, growing), self._limits[slowest] - len(self.places[slowest]))
            if self._spread(growing[slowest], wanted) < max(1, wanted):
                del growing[slowest]

    def _step(self, at: int, growing: Iterable[int]) -> int:
        """Workers that a segment is short of to be no longer the slowest, or a sixteenth of what it has."""
        count, weight = len(self.places[at]), self._weights[at]
        others = [len(self.places[other]) / self._weights[other] for other in growing if other != at]
        short = int(min(others) * weight) - count if others else count
        return max(1, short, count // GRAIN)

    def _spread(self, segment: Segment, wanted: int) -> int:
        """Add up to ``wanted`` workers, one a machine in turn; how many were added."""
        added, machines = 0, self._open[segment.index]
        while added < wanted and machines:
            for name in list(machines):
                near = Place(name, tuple((gpu, 0) for gpu in self._gpus_beside(segment, name)))
                found = self._ledger.place_beside(segment.need, [near])
                if found is None:
                    del machines[name]
                    continue
                self._add(segment, found)
                added += 1
                if added == wanted:
                    break
        return added

    def _add(self, segment: Segment, found: Place) -> None:
        self._ledger.take(found, segment.need)
        self.places[segment.index].append(found)
        machines = self._open[segment.index]
        machines[found.node] = machines.pop(found.node, None)  # last in turn
        self._beside.setdefault((segment.index, found.node), set()).update(found.gpu_ids)

    def _neighbours(self, segment: Segment) -> list[Place]:
        return [p for at in (segment.index - 1, segment.index + 1) for p in self.places.get(at, ())]

    def _gpus_beside(self, segment: Segment, node: str) -> list[str]:
        if segment.device == "cpu":
            return []
        beside = (self._beside.get((at, node), set()) for at in (segment.index - 1, segment.index + 1))
        return sorted(set().union(*beside))


def _weights(segments: Sequence[Segment], seconds: Sequence[float | None]) -> dict[int, float]:
    """How slow segments are beside others of their device, which is what they share."""
    unknown = {segment.device for segment in segments if seconds[segment.index] is None}
    return {s.index: 1.0 if s.device in unknown else max(seconds[s.index] or 0.0, 1e-9) for s in segments}


def _most(segment: Segment, cores: int) -> int:
    """Workers of a segment without a limit: as many as cores where they take nothing of a machine."""
    return UNLIMITED if segment.need.cpus_milli or segment.need.uses_gpu else cores


def _edges(plan: Plan, places: Sequence[Sequence[Place]], phases: Sequence[Sequence[int]]) -> Iterable[Edge]:
    phase_of = {at: number for number, phase in enumerate(phases) for at in phase}
    for segment in plan.segments:
        if segment.index:
            kind, remote = _distance(places[segment.index - 1], places[segment.index])
            waits = phase_of[segment.index] != phase_of[segment.index - 1]
            yield Edge(segment.first, kind, remote, waits)
        for stage in range(segment.first + 1, segment.first + len(segment.stages)):
            yield Edge(stage, "same-process")


def _distance(before: Sequence[Place], after: Sequence[Place]) -> tuple[EdgeKind, float]:
    remote = _surplus([p.node for p in before], [p.node for p in after])
    if remote > 0:
        return "network", remote
    gpus = [[(p.node, gpu) for p in side for gpu in p.gpu_ids] for side in (before, after)]
    return ("same-gpu" if all(gpus) and not _surplus(*gpus) else "same-node"), 0.0


def _surplus(made: Sequence[object], taken: Sequence[object]) -> float:
    """Share of what is made that is not taken where it was made."""
    makers, takers = Counter(made), Counter(taken)
    spare = (max(0, n * len(taken) - takers[at] * len(made)) for at, n in makers.items())
    return sum(spare) / (len(made) * len(taken))
