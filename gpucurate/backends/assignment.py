"""What a worker is told once, before its first unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gpucurate.backends.call import Stage
from gpucurate.backends.exchange import Exchange
from gpucurate.checkpoint.uploads import Uploads
from gpucurate.io.urls import allowed_protocols
from gpucurate.memory.torch_pool import TorchMode
from gpucurate.spec.device import Device


@dataclass(frozen=True, slots=True)
class Assignment:
    """One segment of a plan, as its workers see it.

    Attributes:
        phase: name of the plan.
        stages: the segment's stages.
        folder: where attempts go; None where the run writes nothing.
        collect: whether final tasks come back with their data.
        devices: where each stage runs; all on the CPU if there are none.
        gpu_memory: bytes that a worker may use of its GPU; a share of it if None.
        torch_memory: how torch lives beside what is not torch, where a stage uses it.
        segment: position in the plan.
        first: position of its first stage in the whole pipeline, also where units begin from a checkpoint.
        is_first: whether it takes units from the input, and not from another segment.
        is_last: whether what it makes is final, and not handed on.
        batch_bytes: batches from another segment are joined up to this size; None leaves them as they come.
        splittable: whether batches may be joined and cut: what any stage makes does not depend on it.
        exchange: how tasks get from segment to segment; None where there is one.
        uploads: brings finished attempts into a store; None where outputs go to a disk.
        protocols: of URLs that may be read because the user asked for it.
    """

    phase: str
    stages: Sequence[Stage]
    folder: Path | None
    collect: bool
    devices: Sequence[Device] = ()
    gpu_memory: int | None = None
    torch_memory: TorchMode = "separate"
    segment: int = 0
    first: int = 0
    is_first: bool = True
    is_last: bool = True
    batch_bytes: int | None = None
    splittable: bool = True
    exchange: Exchange | None = None
    uploads: Uploads | None = None
    protocols: frozenset[str] = field(default_factory=allowed_protocols)

    @property
    def uses_gpu(self) -> bool:
        """Whether any stage runs on a GPU."""
        return "cuda" in self.devices

    @property
    def torch(self) -> TorchMode | None:
        """How torch lives on the GPU, if a stage there uses it."""
        on_gpu = (s for s, device in zip(self.stages, self.devices, strict=True) if device == "cuda")
        return self.torch_memory if any(stage.uses_torch for stage in on_gpu) else None

    def attempt(self, unit_id: str, attempt: int, worker: int) -> str:
        """What names of files of one attempt at a unit begin with; unique in the run."""
        return f"{unit_id}-{self.segment}-{attempt}-{worker}"
