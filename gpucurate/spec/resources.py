"""What one worker of a stage asks for."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Resources:
    """Cores, GPU memory and GPUs of one worker.

    ``gpus`` and ``gpu_memory_gb`` count only where the stage runs on a GPU: the same
    stage asks for nothing but cores on a machine without one (:meth:`on`).

    Args:
        cpus: cores, fractions allowed.
        gpu_memory_gb: gigabytes (10**9 bytes) of one GPU; excludes ``gpus``. A limit that holds: the
            worker's pool hands out no more.
        gpus: GPUs, a fraction of one or a whole number.

    Raises:
        ConfigurationError: negative amounts, ``gpus`` together with ``gpu_memory_gb``,
            or a fraction above one GPU.
    """

    cpus: float = 1.0
    gpu_memory_gb: float = 0.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if min(self.cpus, self.gpu_memory_gb, self.gpus) < 0:
            raise ConfigurationError(f"{self}: resources cannot be negative")
        if self.gpus and self.gpu_memory_gb:
            raise ConfigurationError(f"{self}: give gpus or gpu_memory_gb, not both")
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise ConfigurationError(f"{self}: more than one GPU must be a whole number")

    @property
    def requires_gpu(self) -> bool:
        """Whether any share of a GPU is asked for."""
        return self.gpus > 0 or self.gpu_memory_gb > 0

    def on(self, device: Device) -> Resources:
        """What counts on ``device``: without the GPU's share where that is the CPU."""
        return self if device == "cuda" else Resources(cpus=self.cpus)
