"""Machines and chains that tests of planning share."""

from __future__ import annotations

from gpucurate.planning.planner import make_plan
from gpucurate.spec.cluster import MILLI, Gpu, Node
from gpucurate.spec.resources import Resources
from gpucurate.spec.stage import StageSpec

BOTH = frozenset({"cpu", "cuda"})
GB = 10**9


def stage(name, *, cpus=1.0, gpus=0.0, gb=0.0, **more):
    return StageSpec(name, name, resources=Resources(cpus, gb, gpus), **more)


def plan(*stages, **options):
    return make_plan("main", stages, available=BOTH, **options)


def nodes(count, *, cores=8, gpus=2, gb=80):
    return [
        Node(f"n{at:03}", cores * MILLI, 10**12, tuple(Gpu(str(gpu), gb * GB) for gpu in range(gpus)))
        for at in range(count)
    ]
