"""What a run will move, hold and take: from the plan, its places and the figures of an earlier run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gpucurate.planning.costs import MB, Costs
from gpucurate.planning.layout import EdgeKind, Layout
from gpucurate.planning.volume import segment_seconds, stage_bytes, stage_costs
from gpucurate.spec.cluster import MILLI
from gpucurate.spec.plan import Plan, Segment


@dataclass(frozen=True, slots=True)
class Volume:
    """What is going to enter a pipeline.

    Attributes:
        input_bytes: as they lie in files, which is what costs are measured in.
        decoded_bytes: decoded.
        units: of work; no more workers than these have something to do.
    """

    input_bytes: int
    decoded_bytes: int
    units: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What one stage hands to the next.

    Attributes:
        stage: index of the one that is given.
        kind: how far it goes.
        nbytes: how much; at most so much of the input's bytes where costs are not known, since what stages
            add is not known then.
        at_most: whether that is a bound.
        network_bytes: the part of it that leaves its machine.
        scratch_bytes: the part of it that lies on disk until a phase ends.
    """

    stage: int
    kind: EdgeKind
    nbytes: int
    at_most: bool
    network_bytes: int
    scratch_bytes: int


@dataclass(frozen=True, slots=True)
class GpuShare:
    """What a worker has of its GPU's memory.

    Attributes:
        segment: its index.
        limit: bytes that one worker may use; of each of its GPUs, if it has several.
        workers: that share the fullest GPU.
        gpu: bytes of that GPU.
        measured: the most that a worker's pool held in the earlier run; 0 if not known.
    """

    segment: int
    limit: int
    workers: int
    gpu: int
    measured: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a run will move, hold and take.

    Attributes:
        moved: between stages, in order.
        gpu_shares: of segments on GPUs.
        gpu_bytes: the most that workers may use of one GPU together.
        seconds: of the whole run once workers are there; None where costs are not known.
        gpu_seconds: seconds times the GPUs that are held.
        segment_seconds: of each segment with its workers, None where its cost is not known.
        bottleneck: of each phase, the segment that takes longest; None where costs are not known.
        unknown: names of stages whose cost is not known.
        scratch_bytes: of disk, at most, for what waits between phases.
    """

    moved: tuple[Moved, ...]
    gpu_shares: tuple[GpuShare, ...]
    gpu_bytes: int
    seconds: float | None
    gpu_seconds: float | None
    segment_seconds: tuple[float | None, ...]
    bottleneck: tuple[int | None, ...]
    unknown: tuple[str, ...]
    scratch_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def predict(plan: Plan, layout: Layout, volume: Volume, costs: Costs | None = None) -> Prediction:
    """What to expect of a run.

    Times are those of the stages' own code in the earlier run, spread over the workers: start of workers,
    waiting and copies between them come on top.

    Args:
        plan: what runs.
        layout: where.
        volume: what enters.
        costs: of an earlier run of the same stages; without them no time is known.
    """
    chain = stage_costs(plan, costs)
    stages = [stage for segment in plan.segments for stage in segment.stages]
    moved = tuple(_moved(plan, layout, volume, costs))
    seconds = tuple(_seconds(plan, layout, volume, costs))
    phases = [[seconds[at] for at in phase] for phase in layout.phases]
    longest = [None if None in phase else max(s for s in phase if s is not None) for phase in phases]
    is_known = None not in longest
    return Prediction(
        moved=moved,
        gpu_shares=tuple(_gpu_shares(plan, layout, costs)),
        gpu_bytes=max((_fullest_gpu(plan, layout, phase) for phase in layout.phases), default=0),
        seconds=sum(s or 0.0 for s in longest) if is_known else None,
        gpu_seconds=sum((s or 0.0) * _gpus(layout, p) for s, p in zip(longest, layout.phases, strict=True))
        if is_known
        else None,
        segment_seconds=seconds,
        bottleneck=tuple(
            None if s is None else max(phase, key=lambda at: seconds[at] or 0.0)
            for s, phase in zip(longest, layout.phases, strict=True)
        ),
        unknown=tuple(stage.name for stage, cost in zip(stages, chain, strict=True) if cost is None),
        scratch_bytes=_scratch(moved),
    )


def _moved(plan: Plan, layout: Layout, volume: Volume, costs: Costs | None) -> Iterable[Moved]:
    entering = stage_bytes(plan, volume.input_bytes, costs)
    for edge in layout.edges:
        known = entering[edge.stage]
        crossing = volume.decoded_bytes if known is None else known
        if edge.kind == "same-process":
            crossing = 0
        yield Moved(
            edge.stage,
            edge.kind,
            crossing,
            known is None,
            int(crossing * edge.remote),
            crossing if edge.waits else 0,
        )


def _scratch(moved: Iterable[Moved]) -> int:
    """While a phase eats up what waited for it, what waits for the next one grows."""
    waiting = [move.scratch_bytes for move in moved if move.scratch_bytes]
    return max((sum(waiting[at : at + 2]) for at in range(len(waiting))), default=0)


def _seconds(plan: Plan, layout: Layout, volume: Volume, costs: Costs | None) -> Iterable[float | None]:
    """Units go to workers one by one: the last round may not fill all of them."""
    units = max(1, volume.units)
    for segment, each in zip(plan.segments, segment_seconds(plan, costs), strict=True):
        rounds = -(-units // len(layout.places[segment.index]))
        yield None if each is None else each * volume.input_bytes / MB * rounds / units


def _gpus(layout: Layout, phase: Iterable[int]) -> int:
    return len({(p.node, gpu) for at in phase for p in layout.places[at] for gpu in p.gpu_ids})


def _memory(layout: Layout) -> dict[tuple[str, str], int]:
    return {(node.id, gpu.id): gpu.memory for node in layout.nodes for gpu in node.gpus}


def _gpu_shares(plan: Plan, layout: Layout, costs: Costs | None) -> Iterable[GpuShare]:
    memory, chain = _memory(layout), stage_costs(plan, costs)
    for segment in plan.segments:
        held = Counter((p.node, gpu) for p in layout.places[segment.index] for gpu in p.gpu_ids)
        if not held:
            continue
        gpu, workers = held.most_common(1)[0]
        measured = [c.gpu_peak_bytes for c in chain[segment.first :][: len(segment.stages)] if c is not None]
        limit = _limit(segment, memory[gpu])
        yield GpuShare(segment.index, limit, workers, memory[gpu], max(measured, default=0))


def _limit(segment: Segment, gpu: int) -> int:
    need = segment.need
    return need.gpu_memory or min(need.gpus_milli, MILLI) * gpu // MILLI


def _fullest_gpu(plan: Plan, layout: Layout, phase: Iterable[int]) -> int:
    memory, taken = _memory(layout), Counter[tuple[str, str]]()
    for at in phase:
        for place in layout.places[at]:
            for gpu in place.gpu_ids:
                taken[place.node, gpu] += _limit(plan.segments[at], memory[place.node, gpu])
    return max(taken.values(), default=0)
