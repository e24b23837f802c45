"""Cut a chain of stages into segments: maximal runs that share a device."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Segment
from gpucurate.spec.stage import StageSpec


def device_of(stage: StageSpec, available: frozenset[Device]) -> Device:
    """Where a stage runs: the GPU if it asks for one and there is one, else the CPU.

    Raises:
        ConfigurationError: the stage runs on no device there is.
    """
    if "cuda" in available and "cuda" in stage.devices and stage.resources.requires_gpu:
        return "cuda"
    if "cpu" in stage.devices:
        return "cpu"
    if "cuda" in available and "cuda" in stage.devices:
        return "cuda"
    raise ConfigurationError(
        f"stage {stage.name!r} runs on {', '.join(sorted(stage.devices)) or 'no device'} only, "
        f"and this machine offers {', '.join(sorted(available))}"
    )


def devices_of(stages: Sequence[StageSpec], available: frozenset[Device]) -> list[Device]:
    """Where each stage runs.

    One that follows the device runs where the stage before it does; a reader, which has none before it,
    where the next stage does that follows nobody: a GPU segment reads its own ranges.

    Raises:
        ConfigurationError: a stage that runs on no device there is.
    """
    own = [None if _follows(stage) else device_of(stage, available) for stage in stages]
    leading = next((device for device in own if device is not None), None)
    devices: list[Device] = []
    for stage, device in zip(stages, own, strict=True):
        before = devices[-1] if devices else leading
        devices.append(device or before or device_of(stage, available))
    return devices


def _follows(stage: StageSpec) -> bool:
    return stage.follows_device and not stage.resources.requires_gpu


def cut_segments(stages: Sequence[StageSpec], available: frozenset[Device]) -> tuple[Segment, ...]:
    """Adjacent stages on one device run in one worker and hand over a reference.

    Raises:
        ConfigurationError: a stage that no device can run, or one that asks for an
            environment of its own, which no executor of this version offers.
    """
    segments: list[Segment] = []
    start = 0
    devices = devices_of(stages, available)
    for at, stage in enumerate(stages):
        if stage.runtime_env:
            raise ConfigurationError(
                f"stage {stage.name!r} asks for runtime_env {sorted(stage.runtime_env)}: no executor of this "
                "version gives a stage an environment of its own; start gpucurate inside that environment"
            )
        if at + 1 == len(stages) or devices[at + 1] != devices[at]:
            cut = "first stage" if not start else f"from {devices[start - 1]} to {devices[start]}"
            segments.append(Segment(len(segments), tuple(stages[start : at + 1]), devices[start], start, cut))
            start = at + 1
    return tuple(segments)
