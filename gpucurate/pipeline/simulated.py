"""How long a plan would take: the scheduler itself, on machines that are not here, by measured costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpucurate.backends.lanes import lanes_of, policy_of
from gpucurate.backends.settings import RunSettings
from gpucurate.backends.sim.predict import LaneCost, simulate_plan
from gpucurate.planning.costs import Costs, relative_bytes
from gpucurate.planning.memory import EXPANSION
from gpucurate.planning.volume import segment_seconds, stage_costs
from gpucurate.scheduling.policy import Lane
from gpucurate.spec.cluster import MILLI, Node
from gpucurate.spec.plan import Plan
from gpucurate.spec.unit import Unit

MOST_STEPS = 200_000
"""Units times segments that are simulated: about a quarter of a minute."""

MEMORY_SHARE = 0.6
"""Of a machine's memory, for units in work; a quarter of that for what waits between segments."""


def simulated_seconds(
    plan: Plan, units: Sequence[Unit], nodes: Sequence[Node], costs: Costs | None
) -> float | None:
    """Seconds until the last unit is final; start of workers and faults not counted.

    None where a cost is not known, where segments would take turns and so start workers again, and for more
    than 200,000 units times segments.
    """
    lane_costs = _lane_costs(plan, costs)
    if not units or lane_costs is None or len(units) * len(plan.segments) > MOST_STEPS:
        return None
    memory = int(min(node.memory for node in nodes) * MEMORY_SHARE)
    lanes = lanes_of(plan, edge_bytes=len(nodes) * memory // 4 // max(1, len(plan.segments) - 1))
    history = simulate_plan(
        [_measured(lane, cost) for lane, cost in zip(lanes, lane_costs, strict=True)],
        lane_costs,
        [(unit.id, unit.est_bytes) for unit in units],
        nodes,
        policy_of(RunSettings(), workers=None, budget_bytes=memory),
    )
    if history.failed or history.lost:
        return None
    return max(committed.at for committed in history.committed)


def _lane_costs(plan: Plan, costs: Costs | None) -> list[LaneCost] | None:
    """What each segment takes of its own input; None where that is not known of all."""
    relative = relative_bytes(stage_costs(plan, costs))
    enters = [relative[segment.first] for segment in plan.segments]
    seconds = segment_seconds(plan, costs)
    found: list[LaneCost] = []
    for at, (share, took) in enumerate(zip(enters, seconds, strict=True)):
        after = enters[at + 1] if at + 1 < len(enters) else share
        if not share or took is None or after is None:
            return None
        found.append(LaneCost(took / share, ratio=after / share, setup_s=0.0))
    return found


def _measured(lane: Lane, cost: LaneCost) -> Lane:
    """A lane that knows what it hands on; here sizes are bytes of input, not of memory held."""
    return replace(lane, expansion=max(1, round(cost.ratio * MILLI)), working=EXPANSION * MILLI, setup_s=0.0)
