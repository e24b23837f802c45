"""From stage specifications to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpucurate.planning.columns import check_columns
from gpucurate.planning.costs import Costs
from gpucurate.planning.feasibility import time_sharing
from gpucurate.planning.fingerprint import digest
from gpucurate.planning.segments import cut_segments
from gpucurate.spec.cluster import Node
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Plan
from gpucurate.spec.stage import StageSpec

PLAN_VERSION = 1
"""Raised when a plan of the same stages would be carried out differently."""


def make_plan(
    name: str,
    stages: Sequence[StageSpec],
    *,
    available: frozenset[Device] = frozenset({"cpu"}),
    decides: dict[str, Any] | None = None,
    fuse: bool = True,
    gpu_memory: int | None = None,
    costs: Costs | None = None,
    nodes: Sequence[Node] = (),
) -> Plan:
    """Check the chain, cut it into segments and take its fingerprint.

    Args:
        name: of the pipeline or phase.
        stages: the specifications, in order.
        available: devices of the machine.
        decides: further values that change results, such as the unit size.
        fuse: False to give each stage workers of its own, for comparison.
        gpu_memory: bytes of the smallest GPU, None if that is not known.
        costs: of an earlier run, if there was one.
        nodes: machines, if they are known: where a worker of each segment does not fit at a time, stages
            share workers that would be faster apart.

    Raises:
        ConfigurationError: no stage, a column that is missing, a device that is not there, a
            reader after the first stage, a ``batch_size`` or ``num_workers()`` below 1, and as
            :func:`cut_segments`.
    """
    if not stages:
        raise ConfigurationError(f"pipeline {name!r} has no stage: add one with add_stage()")
    _check_shape(stages)
    check_columns(stages)
    values = {
        "plan_version": PLAN_VERSION,
        "stages": [
            {"name": s.name, "kind": s.kind, "config": s.config, "batch_size": s.batch_size}
            for s in stages
            if not s.is_checkpoint
        ],
        **(decides or {}),
    }

    def cut(*, tight: bool) -> Plan:
        segments = cut_segments(stages, available, fuse=fuse, gpu_memory=gpu_memory, costs=costs, tight=tight)
        return Plan(name, segments, fingerprint, values)

    fingerprint = digest(values)
    plan = cut(tight=False)
    return cut(tight=True) if fuse and nodes and len(time_sharing(plan, nodes)) > 1 else plan


def _check_shape(stages: Sequence[StageSpec]) -> None:
    for at, stage in enumerate(stages):
        if stage.is_source and at:
            raise ConfigurationError(f"stage {stage.name!r} reads the input: it can only be the first")
        if stage.batch_size < 1:
            raise ConfigurationError(
                f"stage {stage.name!r}: batch_size is {stage.batch_size}, it must be at least 1"
            )
        if stage.max_workers is not None and stage.max_workers < 1:
            raise ConfigurationError(
                f"stage {stage.name!r}: num_workers() is {stage.max_workers}, it must be at least 1 or None"
            )
