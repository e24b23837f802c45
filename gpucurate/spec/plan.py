"""A pipeline that is ready to run: segments, and the fingerprint of what decides its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gpucurate.spec.device import Device
from gpucurate.spec.stage import StageSpec


@dataclass(frozen=True, slots=True)
class Segment:
    """Adjacent stages that one worker runs in sequence.

    Attributes:
        index: position in the plan.
        stages: the stages, in order.
        device: where they run.
        first: index of the first stage in the pipeline.
        cut: why the segment begins where it does.
    """

    index: int
    stages: tuple[StageSpec, ...]
    device: Device
    first: int
    cut: str

    @property
    def tasks_per_unit(self) -> int:
        """Tasks that enter together: the largest ``batch_size`` of the segment."""
        return max(stage.batch_size for stage in self.stages)

    @property
    def max_workers(self) -> int | None:
        """The lowest limit that any stage sets, None if none does."""
        limits = [stage.max_workers for stage in self.stages if stage.max_workers is not None]
        return min(limits) if limits else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs, and what it is known by.

    Attributes:
        name: of the pipeline or of the phase of a workflow.
        segments: in order.
        fingerprint: 128 bits, hexadecimal, of everything that changes results: stages,
            their configuration and code, unit size, versions of the algorithms. Not of
            workers, memory, logging or paths of the output.
        decides: the values the fingerprint was taken of, for showing a difference.
    """

    name: str
    segments: tuple[Segment, ...]
    fingerprint: str
    decides: dict[str, Any]

    @property
    def devices(self) -> tuple[Device, ...]:
        """Where each stage runs, in order."""
        return tuple(segment.device for segment in self.segments for _ in segment.stages)

    @property
    def gpu_memory(self) -> int | None:
        """Bytes of its GPU that a worker may use, if stages on GPUs say so: the most that any asks for."""
        segments = [segment for segment in self.segments if segment.device == "cuda"]
        asked = max((s.resources.gpu_memory_gb for segment in segments for s in segment.stages), default=0.0)
        return int(asked * 10**9) or None

    @property
    def uses_gpu(self) -> bool:
        """Whether any stage runs on a GPU."""
        return "cuda" in self.devices
