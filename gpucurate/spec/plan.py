"""A pipeline that is ready to run: segments, and the fingerprint of what decides its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gpucurate.spec.cluster import MILLI, Need
from gpucurate.spec.device import Device
from gpucurate.spec.resources import Resources
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
        fused: why each stage but the first is in the worker of the one before it.
        resources: what one worker takes.
        environment: ``env_vars`` and ``py_executable`` of its workers, None for those of the run.
        batch_bytes: batches that come from another segment are joined up to this size, within one file
            range, and larger ones are split; None leaves them as they come.
        splittable: whether what it makes does not depend on how rows are divided into batches.
        gang: so many workers that know of each other, started and ended together; 0 for workers
            that do not.
    """

    index: int
    stages: tuple[StageSpec, ...]
    device: Device
    first: int
    cut: str
    resources: Resources = field(default_factory=Resources)
    environment: dict[str, Any] | None = None
    batch_bytes: int | None = None
    splittable: bool = True
    gang: int = 0
    fused: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its stages, for messages."""
        return " + ".join(stage.name for stage in self.stages)

    @property
    def need(self) -> Need:
        """What one worker takes of a node, host memory excepted."""
        asked = self.resources.on(self.device)
        return Need(
            cpus_milli=_milli(asked.cpus),
            gpus_milli=_milli(asked.gpus),
            gpu_memory=int(asked.gpu_memory_gb * 10**9),
        )

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
        """Bytes of its GPU that a worker may use, if stages say so: the most of any segment."""
        return max((segment.need.gpu_memory for segment in self.segments), default=0) or None

    @property
    def tasks_per_unit(self) -> int:
        """Tasks that enter together: as many as the widest segment takes."""
        return max(segment.tasks_per_unit for segment in self.segments)

    @property
    def uses_gpu(self) -> bool:
        """Whether any stage runs on a GPU."""
        return "cuda" in self.devices


def _milli(amount: float) -> int:
    """Thousandths, so that whatever is asked for is something."""
    return max(1, round(amount * MILLI)) if amount else 0
