"""Devices that this machine offers to the stages of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.backends.chain import Stage
from gpucurate.frame.table import cuda_is_available
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError


def devices_for(stages: Sequence[Stage]) -> frozenset[Device]:
    """What there is; GPUs are looked for only if a stage asks for one, since that loads libraries."""
    asks = any(stage.resources.requires_gpu or "cpu" not in stage.devices for stage in stages)
    return frozenset({"cpu", "cuda"}) if asks and cuda_is_available() else frozenset({"cpu"})


def require_cuda() -> None:
    """Make sure that kernels can run.

    Raises:
        ConfigurationError: they cannot.
    """
    if not cuda_is_available():
        raise ConfigurationError(
            "device cuda was asked for, and this machine has no GPU that CuPy can use: "
            "gpucurate doctor says what is missing; without it the same run is done on the CPU (--device cpu)"
        )
