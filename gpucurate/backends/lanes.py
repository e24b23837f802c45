"""Segments of a plan as the scheduler sees them, and the limits of a run."""

from __future__ import annotations

from dataclasses import replace

from gpucurate.backends.settings import RunSettings
from gpucurate.planning.memory import EXPANSION
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.cluster import MILLI
from gpucurate.spec.plan import Plan, Segment

WORKER_BASE = 160 * MIB
"""What a worker process holds before its first unit: the interpreter and its libraries."""

DOWNSTREAM = 3 * MILLI
"""Thousandths of its input that a later segment holds: the input, what a stage makes of it, the output."""


def lanes_of(plan: Plan, *, edge_bytes: int, worker_memory: int = WORKER_BASE) -> list[Lane]:
    """One lane a segment.

    Args:
        plan: what runs.
        edge_bytes: bytes that may wait behind each segment but the last.
        worker_memory: bytes of its machine that a worker is counted with.
    """
    last = len(plan.segments) - 1
    return [
        _lane(segment, 0 if segment.index == last else max(1, edge_bytes), worker_memory)
        for segment in plan.segments
    ]


def _lane(segment: Segment, edge_bytes: int, worker_memory: int) -> Lane:
    is_first = segment.index == 0
    return Lane(
        name=segment.name,
        need=replace(segment.need, memory=worker_memory),
        max_workers=segment.max_workers,
        gang=segment.gang,
        edge_bytes=edge_bytes,
        # A unit's size is what it holds while it is read, which is so many times what is read.
        expansion=MILLI // EXPANSION if is_first else MILLI,
        working=MILLI if is_first else DOWNSTREAM,
        splittable=segment.splittable,
        stages=tuple(stage.name for stage in segment.stages),
    )


def policy_of(settings: RunSettings, *, workers: int | None, budget_bytes: int, max_slots: int = 1) -> Policy:
    """Limits of a run.

    Args:
        settings: the user's.
        workers: how many may live at a time; None for as many as fit.
        budget_bytes: bytes that units in work may hold on one machine.
        max_slots: units that a worker may have.
    """
    return Policy(
        workers=workers,
        budget_bytes=budget_bytes,
        max_attempts=settings.max_attempts,
        max_bisections=settings.max_bisections,
        max_slots=max_slots,
        is_batch=settings.execution_mode == "batch",
        autoscale_interval_s=settings.autoscale_interval_s,
        worker_max_lifetime_s=settings.max_lifetime_s,
        worker_restart_interval_s=settings.worker_restart_interval_m * 60,
        worker_max_units=settings.worker_max_units,
        worker_max_growth=settings.max_growth_bytes,
        worker_max_leak=settings.max_leak_bytes,
        stall_s=settings.stall_timeout_s,
    )
