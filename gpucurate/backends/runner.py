"""A worker's life, whatever process it lives in: set up, run units, tear down."""

from __future__ import annotations

import copy
import gc
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpucurate.backends.chain import Chain, Stage
from gpucurate.backends.gpu import check_memory, worker_memory
from gpucurate.checkpoint.rejects import RejectWriter
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.memory.out_of_memory import forget, is_out_of_memory
from gpucurate.memory.torch_pool import TorchMode
from gpucurate.spec.device import Device
from gpucurate.spec.errors import (
    ConfigurationError,
    GpucurateError,
    InputError,
    StageError,
    StorageError,
)
from gpucurate.spec.events import FailureKind
from gpucurate.spec.unit import OutputFile, Unit, UnitResult
from gpucurate.stages.context import UnitContext
from gpucurate.stages.told import told
from gpucurate.tasks.descriptor import TaskDescriptor
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.task import Task

REJECTS = 10**9
"""Number of the file of rejects among those of an attempt, beyond all that a stage may write."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is told once, before its first unit.

    Attributes:
        phase: name of the plan.
        stages: the segment's stages.
        folder: where attempts go; None where the run writes nothing.
        collect: whether final tasks come back with their data.
        devices: where each stage runs; all on the CPU if there are none.
        gpu_memory: bytes that a worker may use of its GPU; a share of it if None.
        torch_memory: how torch lives beside what is not torch, where a stage uses it.
    """

    phase: str
    stages: Sequence[Stage]
    folder: Path | None
    collect: bool
    devices: Sequence[Device] = ()
    gpu_memory: int | None = None
    torch_memory: TorchMode = "separate"

    @property
    def uses_gpu(self) -> bool:
        """Whether any stage runs on a GPU."""
        return "cuda" in self.devices

    @property
    def torch(self) -> TorchMode | None:
        """How torch lives on the GPU, if a stage there uses it."""
        on_gpu = (s for s, device in zip(self.stages, self.devices, strict=True) if device == "cuda")
        return self.torch_memory if any(stage.uses_torch for stage in on_gpu) else None


class Runner:
    """Runs units through the stages of a segment.

    Args:
        assignment: what to run.
        worker: number of the worker; names of attempts carry it.
    """

    def __init__(self, assignment: Assignment, worker: int) -> None:
        self.assignment = assignment
        self.worker = worker
        self._ready: list[Stage] = []
        self._gpu: GpuMemory | None = None

    def setup(self) -> None:
        """Set the stages up, in order; :meth:`teardown` is due whether it works or not.

        Raises:
            GpucurateError: a stage could not be set up, or the GPU.
        """
        if self.assignment.uses_gpu:
            self._gpu = worker_memory(self.assignment.gpu_memory, self.assignment.torch)
        for stage, device in zip(self.assignment.stages, self._devices, strict=True):
            stage.place(device, self._gpu if device == "cuda" else None)
        for stage in self.assignment.stages:
            self._ready.append(stage)
            try:
                stage.setup()
            except GpucurateError:
                raise
            except (Exception, SystemExit) as error:
                raise StageError(told(stage, error, "could not be set up:"), stage.name) from error

    def teardown(self) -> None:
        """Tear down every stage whose setup was begun, the last first, though one should fail.

        Raises:
            StageError: a stage could not be torn down.
        """
        failure: StageError | None = None
        while self._ready:
            stage = self._ready.pop()
            try:
                stage.teardown()
            except (Exception, SystemExit) as error:
                failure = StageError(told(stage, error, "could not be torn down:"), stage.name)
        if self._gpu is not None:
            check_memory(self._gpu)
            self._gpu = None
        if failure is not None:
            raise failure

    @property
    def _devices(self) -> Sequence[Device]:
        on_cpu: list[Device] = ["cpu"] * len(self.assignment.stages)
        return self.assignment.devices or on_cpu

    def run(self, unit: Unit, attempt: int) -> UnitResult:
        """Run one unit.

        Raises:
            GpucurateError: what the failure was; nothing of the unit is left on disk.
            Exception: what a stage raised.
        """
        prefix = f"{unit.id}-{attempt}-{self.worker}"
        context = UnitContext(unit.id, unit.index, self.assignment.folder, prefix)
        rejects = RejectWriter(context.attempt_path(REJECTS)) if context.folder is not None else None
        context.write_reject = rejects.write if rejects else None
        try:
            return self._run(unit, context, rejects)
        except BaseException:
            if rejects:
                rejects.abandon()
            for stage in self.assignment.stages:
                stage.bind(None)
                stage.take_counts()
            self._remove_attempts(prefix)
            raise

    def _run(self, unit: Unit, context: UnitContext, rejects: RejectWriter | None) -> UnitResult:
        chain = Chain(self.assignment.stages, self.assignment.devices or None)
        for stage in self.assignment.stages:
            stage.bind(context)
        # Not a comprehension: its variable would hold a batch while the next one is read.
        tasks = list(map(self._final, chain.run(_tasks_of(unit))))
        statistics = chain.statistics()
        chain.settle(context.books, tallied=bool(context.tallies))
        if rejects:
            self._keep_rejects(context, rejects)
        for stage in self.assignment.stages:
            stage.bind(None)
        return UnitResult(
            unit_id=unit.id,
            outputs=context.outputs,
            books=context.books,
            stages=statistics,
            tallies=context.tallies,
            tasks=tasks,
            input_bytes=context.input_bytes,
            reduced=context.reduced,
        )

    def _final(self, task: Task[Any]) -> Task[Any]:
        if self.assignment.collect:
            return task
        return task if isinstance(task, FileGroupTask | TaskDescriptor) else TaskDescriptor.of(task)

    def _keep_rejects(self, context: UnitContext, rejects: RejectWriter) -> None:
        if size := rejects.close():
            name = f"_gpucurate/scratch/rejects/{self.assignment.phase}-{context.unit_index:06d}.jsonl.zst"
            context.outputs.append(OutputFile(name, str(rejects.path), rejects.rows, size, ""))

    def _remove_attempts(self, prefix: str) -> None:
        if self.assignment.folder is not None:
            for path in self.assignment.folder.glob(f"{prefix}-*"):
                path.unlink(missing_ok=True)


def _tasks_of(unit: Unit) -> Iterator[Task[Any]]:
    if unit.payload is not None:
        # Copies, so that a unit that is tried again begins with what the caller gave.
        yield from map(copy.copy, unit.payload)
        return
    for group in unit.groups:
        paths = list(dict.fromkeys(source.file.path for source in group))
        yield FileGroupTask("input", paths, group[0].file.name, ranges=group)


def failure_of(error: BaseException) -> tuple[FailureKind, str]:
    """What kind of failure an exception is, and what to say of it.

    Clears the tracebacks: their frames would hold the batch in memory.
    """
    kinds: list[tuple[type[BaseException], FailureKind]] = [
        (StorageError, "storage"),
        (InputError, "input"),
        (ConfigurationError, "configuration"),
    ]
    otherwise: FailureKind = "memory" if is_out_of_memory(error) else "user"
    kind = next((kind for type_, kind in kinds if isinstance(error, type_)), otherwise)
    if isinstance(error, GpucurateError) or kind != "user":
        message = str(error) or type(error).__name__
    else:
        message = "".join(traceback.format_exception(error)).rstrip()
    forget(error)
    gc.collect()
    return kind, message
