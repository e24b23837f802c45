"""Where each stage of a chain runs."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
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
    own = [None if follows(stage) else device_of(stage, available) for stage in stages]
    leading = next((device for device in own if device is not None), None)
    devices: list[Device] = []
    for stage, device in zip(stages, own, strict=True):
        before = devices[-1] if devices else leading
        devices.append(device or before or device_of(stage, available))
    return devices


def follows(stage: StageSpec) -> bool:
    """Whether a stage takes batches wherever they are, and asks for no GPU of its own."""
    return stage.follows_device and not stage.resources.requires_gpu
