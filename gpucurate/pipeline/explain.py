"""What a run will do, as text: segments, places, bytes that move, memory, time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from gpucurate.planning.crossings import crossings
from gpucurate.planning.layout import Layout
from gpucurate.planning.prediction import GpuShare, Moved, Prediction, Volume
from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.cluster import MILLI, Node
from gpucurate.spec.plan import Plan, Segment

if TYPE_CHECKING:
    from gpucurate.pipeline.outlook import Outlook

WIDTH = 100
"""Columns."""

_SIZE = re.compile(r"(\d) ([kMGT]?B)\b")

_KINDS = {
    "same-gpu": "to a worker on the same GPU, by way of the host",
    "same-node": "to another worker of the machine",
    "network": "over the network",
}


def explain(outlook: Outlook) -> str:
    """All that is known before the start, in lines of at most 100 columns."""
    plan, layout, volume, prediction = outlook.plan, outlook.layout, outlook.volume, outlook.prediction
    entries = [
        (0, f"Plan of {outlook.name!r}: {_volume(volume)}, on {_machines(layout.nodes)}"),
        *(line for segment in plan.segments for line in _segment(segment, layout, volume)),
        *((0, told) for told in _begun(outlook.held)),
        *_without_gpu(plan),
        *_turns(layout),
        *_between(plan, prediction),
        *_devices(plan, volume),
        *_memory(prediction),
        *_time(plan, prediction, outlook.measured_bytes),
        *_simulated(outlook.simulated_s),
        _scratch(prediction),
    ]
    return "\n".join(line for depth, text in entries for line in _wrapped(depth, text))


def _begun(held: Sequence[str]) -> Iterable[str]:
    """What is there already, and is not done again."""
    return (told[0].upper() + told[1:] for told in held)


def _wrapped(depth: int, text: str) -> list[str]:
    """Lines of at most :data:`WIDTH` columns; a size stays on one line."""
    whole = _SIZE.sub("\\1\N{NO-BREAK SPACE}\\2", text)
    hang = " " * (depth + 3)
    lines = wrap(whole, WIDTH, initial_indent=" " * depth, subsequent_indent=hang, break_long_words=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _volume(volume: Volume) -> str:
    units = f"{volume.units:,} unit{'' if volume.units == 1 else 's'}"
    return f"{format_bytes(volume.decoded_bytes)} of input in {units}"


def _machines(nodes: Sequence[Node]) -> str:
    kinds = Counter(
        (node.cpus_milli // MILLI, len(node.gpus), min((g.memory for g in node.gpus), default=0))
        for node in nodes
    )
    return " and ".join(
        ("1 machine with " if count == 1 else f"{count:,} machines, each with ") + _parts(*kind)
        for kind, count in kinds.items()
    )


def _parts(cores: int, gpus: int, memory: int) -> str:
    has = _count(cores, "core")
    return f"{has} and {_count(gpus, 'GPU')} of {format_bytes(memory)}" if gpus else has


def _segment(segment: Segment, layout: Layout, volume: Volume) -> Iterable[tuple[int, str]]:
    yield 2, f"{segment.index + 1}. on {segment.device}: {', '.join(s.name for s in segment.stages)}"
    yield 5, f"begins here: {segment.cut}"
    for stage, why in zip(segment.stages[1:], segment.fused, strict=True):
        yield 5, f"{stage.name} joins: {why}"
    yield 5, _workers(segment, layout, volume)
    if segment.environment:
        yield 5, f"in an environment of its own ({', '.join(sorted(segment.environment))})"
    if segment.batch_bytes is not None:
        yield 5, f"batches are joined up to {format_bytes(segment.batch_bytes)}, and cut above it"
    elif segment.index:
        yield 5, "batches are left as they come: a stage of it does not let them be cut"


def _workers(segment: Segment, layout: Layout, volume: Volume) -> str:
    count = len(layout.places[segment.index])
    machines, gpus = layout.machines(segment.index), layout.gpus(segment.index)
    where = f" on {_count(gpus, 'GPU')}" if gpus else ""
    if len(layout.nodes) > 1:
        where += f"{' of' if gpus else ' on'} {_count(machines, 'machine')}"
    kind = "workers that start and end together" if segment.gang else "worker" + "s" * (count != 1)
    told = f"{count:,} {kind}{where}{', each' if count > 1 else ','} with {_asked(segment)}"
    if count > volume.units:
        told += f"; only {volume.units:,} of them have something to do"
    return told


def _asked(segment: Segment) -> str:
    need = segment.resources
    cores = "1 core" if need.cpus == 1 else f"{need.cpus:g} cores"
    if segment.device == "cpu":
        return cores
    if need.gpu_memory_gb:
        return f"{need.gpu_memory_gb:g} GB of a GPU and {cores}"
    gpus = f"{need.gpus:g} GPU{'s' if need.gpus > 1 else ''}" if need.gpus >= 1 else f"{need.gpus:g} of a GPU"
    return f"{gpus} and {cores}"


def _without_gpu(plan: Plan) -> Iterable[tuple[int, str]]:
    stages = [stage for segment in plan.segments if segment.device == "cpu" for stage in segment.stages]
    asking = [stage.name for stage in stages if stage.resources.requires_gpu]
    if asking and not plan.uses_gpu:
        yield 0, f"Without a GPU: there is none for {', '.join(asking)}, which can run on the CPU"


def _turns(layout: Layout) -> Iterable[tuple[int, str]]:
    if len(layout.phases) > 1:
        turns = ", then ".join(_segments(phase) for phase in layout.phases)
        yield 0, f"In turns: one worker of each segment does not fit at a time. First {turns}"


def _between(plan: Plan, prediction: Prediction) -> Iterable[tuple[int, str]]:
    names = [stage.name for segment in plan.segments for stage in segment.stages]
    crossing = [move for move in prediction.moved if move.kind != "same-process"]
    if not names[1:]:
        return
    yield 0, "Moved between stages"
    for move in crossing:
        yield 2, f"{names[move.stage - 1]} -> {names[move.stage]}: {_bytes(move)}, {_far(move)}"
    if len(crossing) < len(prediction.moved):
        yield 2, f"within {'a segment' if crossing else 'the segment'}: 0 B, stages hand over a reference"


def _bytes(move: Moved) -> str:
    return f"at most {format_bytes(move.nbytes)}" if move.at_most else format_bytes(move.nbytes)


def _far(move: Moved) -> str:
    told = _KINDS[move.kind]
    if move.kind == "network" and move.network_bytes < move.nbytes:
        told = f"{format_bytes(move.network_bytes)} of it {told}"
    return f"{told}; it lies on disk until that phase" if move.scratch_bytes else told


def _devices(plan: Plan, volume: Volume) -> Iterable[tuple[int, str]]:
    """What goes up to GPUs and comes back."""
    if not plan.uses_gpu:
        return
    yield 0, "Moved between host and GPU"
    for crossing in crossings(plan, volume.decoded_bytes):
        direction = "up to a GPU" if crossing.to == "cuda" else "down to the host"
        yield (
            2,
            f"{direction}: at most {format_bytes(crossing.nbytes)}, since {crossing.stage} {crossing.why}",
        )
    yield 2, "to a writer: what stages have changed; of other rows the original bytes are written"


def _memory(prediction: Prediction) -> Iterable[tuple[int, str]]:
    if not prediction.gpu_shares:
        return
    gpu = prediction.gpu_shares[0].gpu
    yield 0, f"Memory of a GPU: workers may use {format_bytes(prediction.gpu_bytes)} of {format_bytes(gpu)}"
    for share in prediction.gpu_shares:
        yield 2, f"segment {share.segment + 1}: {_share(share)}"


def _share(share: GpuShare) -> str:
    told = f"{_count(share.workers, 'worker')} on a GPU, up to {format_bytes(share.limit)} each"
    return f"{told}; held {format_bytes(share.measured)} in the earlier run" if share.measured else told


def _time(plan: Plan, prediction: Prediction, measured: int | None) -> Iterable[tuple[int, str]]:
    if measured is None:
        yield 0, "Time: not known: run a part of it once and give its report (costs; --costs report.json)"
        if len(plan.segments) > 1:
            yield 2, "workers are shared out as if each segment took as long as the others"
        return
    if prediction.seconds is None:
        yield (
            0,
            (
                f"Time: not known: the earlier run has no figures on this device for "
                f"{', '.join(prediction.unknown)}; run a part of it where it is to run"
            ),
        )
    else:
        slowest = ", then ".join(_segments([at]) for at in prediction.bottleneck if at is not None)
        gpus = f", {(prediction.gpu_seconds or 0.0) / 3600:,.3g} GPU-hours" if plan.uses_gpu else ""
        yield 0, f"Time: {_hours(prediction.seconds)}{gpus}; the slowest is {slowest}"
    if any(seconds is not None for seconds in prediction.segment_seconds):
        for at, seconds in enumerate(prediction.segment_seconds):
            yield (
                2,
                f"{_segments([at])}: {'not known' if seconds is None else _hours(seconds)} with its workers",
            )
    yield (
        2,
        (f"taken from a run over {format_bytes(measured)}; starting workers, waiting and copies come on top"),
    )


def _simulated(seconds: float | None) -> Iterable[tuple[int, str]]:
    if seconds is not None:
        yield (
            2,
            f"simulated: {_hours(seconds)}, by the scheduler itself with a virtual clock, these units "
            "and workers that are there; how near that comes to real runs stands in benchmarks/RESULTS.md",
        )


def _scratch(prediction: Prediction) -> tuple[int, str]:
    if prediction.scratch_bytes:
        return 0, f"Scratch disk: {format_bytes(prediction.scratch_bytes)} for what waits between phases"
    return 0, "Scratch disk: none beyond what the run's budget lets wait between segments"


def _hours(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} seconds"
    return f"{seconds / 60:.3g} minutes" if seconds < 3600 else f"{seconds / 3600:,.1f} hours"


def _segments(indices: Sequence[int]) -> str:
    numbers = [str(at + 1) for at in indices]
    *before, last = numbers
    return f"segments {', '.join(before)} and {last}" if before else f"segment {last}"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
