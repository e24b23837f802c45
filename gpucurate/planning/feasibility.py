"""Whether a plan can run at all, and whether its segments fit side by side; before anything starts."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.cluster import MILLI, Ledger, Need, Node, fit_together
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Plan, Segment
from gpucurate.spec.resources import Resources


def check_feasible(plan: Plan, nodes: Sequence[Node]) -> None:
    """Make sure that each segment finds a place when it has all machines for itself.

    Raises:
        ConfigurationError: one does not; with the stage, what it wants, and what there is.
    """
    if not nodes:
        raise ConfigurationError(f"plan {plan.name!r}: there is no machine to run on")
    ledger = Ledger.of(nodes)
    for segment in plan.segments:
        fitting = ledger.capacity(segment.need)
        if fitting < max(1, segment.gang):
            raise ConfigurationError(_told(segment, fitting, nodes))


def time_sharing(plan: Plan, nodes: Sequence[Node]) -> tuple[tuple[int, ...], ...]:
    """Segments that can live side by side, as phases in order; one phase if all can.

    Each phase holds as many segments as fit with a worker each, gangs whole.
    """
    phases: list[list[int]] = [[]]
    for segment in plan.segments:
        together = [*phases[-1], segment.index]
        if phases[-1] and not fit_together(nodes, (_wanted(plan.segments[at]) for at in together)):
            phases.append([segment.index])
        else:
            phases[-1] = together
    return tuple(map(tuple, phases))


def _wanted(segment: Segment) -> tuple[Need, int]:
    return segment.need, max(1, segment.gang)


def _told(segment: Segment, fitting: int, nodes: Sequence[Node]) -> str:
    need, largest = segment.need, max(nodes, key=_size)
    stage = max(segment.stages, key=lambda s: _hunger(s.resources.on(segment.device)))
    there = f"the largest of {len(nodes)} machines, {largest.id}," if len(nodes) > 1 else "this machine"
    if segment.gang and fitting:
        return (
            f"stage {stage.name!r} is a gang of {segment.gang} workers, each with {_needs(need)}, and "
            f"{fitting} of them fit: {there} has {_has(largest)}; let num_workers() return {fitting} "
            "or less, or give it more machines"
        )
    return (
        f"stage {stage.name!r} wants {_needs(need)} for one worker, and {there} has {_has(largest)}: "
        "lower its resources, or run it where there is so much"
    )


def _hunger(resources: Resources) -> tuple[float, ...]:
    return resources.gpus, resources.gpu_memory_gb, resources.cpus


def _size(node: Node) -> tuple[int, ...]:
    return len(node.gpus), max((gpu.memory for gpu in node.gpus), default=0), node.cpus_milli


def _needs(need: Need) -> str:
    parts = []
    if need.gpus_milli:
        parts.append("1 GPU" if need.gpus_milli == MILLI else f"{need.gpus_milli / MILLI:g} GPUs")
    if need.gpu_memory:
        parts.append(f"{format_bytes(need.gpu_memory)} of a GPU")
    return " and ".join([*parts, _cores(need.cpus_milli)])


def _has(node: Node) -> str:
    if not node.gpus:
        return f"no GPU and {_cores(node.cpus_milli)}"
    memory = format_bytes(max(gpu.memory for gpu in node.gpus))
    gpus = f"{len(node.gpus)} GPU{'s' if len(node.gpus) > 1 else ''} of {memory}"
    return f"{gpus} and {_cores(node.cpus_milli)}"


def _cores(milli: int) -> str:
    return "1 core" if milli == MILLI else f"{milli / MILLI:g} cores"
