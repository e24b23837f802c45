"""How many bytes enter each stage, and how long a worker is at them."""

from __future__ import annotations

from gpucurate.planning.costs import Costs, StageCost, relative_bytes
from gpucurate.spec.plan import Plan


def stage_costs(plan: Plan, costs: Costs | None) -> list[StageCost | None]:
    """What is known of each stage on the device it runs on."""
    stages = [stage for segment in plan.segments for stage in segment.stages]
    return costs.of_chain(stages, plan.devices) if costs else [None] * len(stages)


def segment_seconds(plan: Plan, costs: Costs | None) -> list[float | None]:
    """Seconds that one worker of each segment is at a megabyte of the pipeline's input; None if not known."""
    known = stage_costs(plan, costs)
    relative = relative_bytes(known)
    each = [
        None if cost is None or share is None else cost.seconds_per_mb * share
        for cost, share in zip(known, relative, strict=True)
    ]
    found: list[float | None] = []
    for segment in plan.segments:
        seconds = [s for s in each[segment.first : segment.first + len(segment.stages)] if s is not None]
        found.append(sum(seconds) if len(seconds) == len(segment.stages) else None)
    return found


def stage_bytes(plan: Plan, input_bytes: int, costs: Costs | None) -> list[int | None]:
    """Bytes that enter each stage; None where it is not known what stages before it make of theirs."""
    relative = relative_bytes(stage_costs(plan, costs))
    return [None if share is None else int(share * input_bytes) for share in relative]
