"""Cut a chain of stages into segments: maximal runs that one worker can carry out."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.planning.batches import batch_bytes
from gpucurate.planning.costs import Costs
from gpucurate.planning.devices import devices_of, follows
from gpucurate.planning.environment import environment_of
from gpucurate.planning.fusing import Chain, why_apart, why_fused
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Segment
from gpucurate.spec.resources import Resources
from gpucurate.spec.stage import StageSpec


def cut_segments(
    stages: Sequence[StageSpec],
    available: frozenset[Device],
    *,
    fuse: bool = True,
    gpu_memory: int | None = None,
    costs: Costs | None = None,
    tight: bool = False,
) -> tuple[Segment, ...]:
    """Adjacent stages in one worker hand over a reference; each segment says why it begins.

    Args:
        stages: in order.
        available: devices that there are.
        fuse: False to give each stage workers of its own, for comparison.
        gpu_memory: bytes of the smallest GPU, None if that is not known.
        costs: of an earlier run, if there was one.
        tight: cut only where workers have to differ, not where it would be faster.

    Raises:
        ConfigurationError: a stage that no device can run, an environment that no executor makes, or
            a gang without ``num_workers()``.
    """
    environments = [environment_of(stage) for stage in stages]
    devices = devices_of(stages, available)
    while True:
        measured = costs.of_chain(stages, devices) if costs else [None] * len(stages)
        chain = Chain(stages, devices, environments, measured, gpu_memory, fuse, tight)
        segments = tuple(_segments(chain))
        idle = [at for segment in segments if _needs_no_gpu(segment) for at in _span(segment)]
        if not idle:
            return segments
        devices = ["cpu" if at in idle else device for at, device in enumerate(devices)]


def _needs_no_gpu(segment: Segment) -> bool:
    """Of stages that only follow the batch: alone, they would hold a GPU and compute nothing on it."""
    return segment.device == "cuda" and all(follows(s) and "cpu" in s.devices for s in segment.stages)


def _span(segment: Segment) -> range:
    return range(segment.first, segment.first + len(segment.stages))


def _segments(chain: Chain) -> list[Segment]:
    segments: list[Segment] = []
    cut, fused, first = "first stage", [], 0
    for at in range(1, len(chain.stages) + 1):
        why = why_apart(chain, first, at) if at < len(chain.stages) else "the end"
        if why is None:
            fused.append(why_fused(chain, first, at))
            continue
        segments.append(_segment(chain, len(segments), range(first, at), cut, tuple(fused)))
        cut, fused, first = why, [], at
    return segments


def _segment(chain: Chain, index: int, span: range, cut: str, fused: tuple[str, ...]) -> Segment:
    stages = tuple(chain.stages[span.start : span.stop])
    device = chain.devices[span.start]
    resources = _resources(stages, device)
    splittable = all(stage.splittable for stage in stages)
    joined = index > 0 and splittable
    return Segment(
        index,
        stages,
        device,
        span.start,
        cut,
        resources,
        chain.environments[span.start],
        batch_bytes(device, resources, chain.gpu_memory) if joined else None,
        splittable,
        _gang(stages[0]) if stages[0].is_gang else 0,
        fused,
    )


def _resources(stages: Sequence[StageSpec], device: Device) -> Resources:
    """What one worker takes; one GPU where stages run on it and none says how much."""
    cpus = max(stage.resources.cpus for stage in stages)
    if device == "cpu":
        return Resources(cpus)
    memory = sum(stage.resources.gpu_memory_gb for stage in stages)
    return Resources(cpus, memory, 0.0 if memory else max(s.resources.gpus for s in stages) or 1.0)


def _gang(stage: StageSpec) -> int:
    if stage.max_workers is None:
        raise ConfigurationError(
            f"stage {stage.name!r} is a gang, and num_workers() is None: let it return of how many workers"
        )
    return stage.max_workers
