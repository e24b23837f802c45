"""A worker's life, whatever process it lives in: set up, run units, tear down."""

from __future__ import annotations

import copy
import gc
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.call import AnyTask, Stage
from gpucurate.backends.chain import Chain
from gpucurate.backends.exchange import Exchange
from gpucurate.backends.gauge import Gauge
from gpucurate.backends.gpu import check_memory, worker_memory
from gpucurate.backends.journal import Journal, journal_path
from gpucurate.backends.recovery import Recovery
from gpucurate.backends.recut import recut
from gpucurate.backends.syncing import Syncer, UnitFiles, Unsynced
from gpucurate.backends.unit_rejects import UnitRejects
from gpucurate.disk.crash import reach
from gpucurate.disk.files import make_folder
from gpucurate.io.batch_file import read_saved
from gpucurate.io.urls import use_protocols
from gpucurate.memory.collection import Collector
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.memory.host_peak import resident_memory
from gpucurate.memory.out_of_memory import forget, is_out_of_memory
from gpucurate.spec.device import Device
from gpucurate.spec.errors import (
    ConfigurationError,
    GpucurateError,
    InputError,
    StageError,
    StorageError,
)
from gpucurate.spec.events import FailureKind, Order
from gpucurate.spec.figures import Collected, Figures
from gpucurate.spec.redaction import redact
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.spec.worker import WorkerMetadata
from gpucurate.stages.context import UnitContext
from gpucurate.stages.hooks import call_hook
from gpucurate.stages.told import told
from gpucurate.tasks.descriptor import TaskDescriptor
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.task import Task

__all__ = ["Assignment", "Runner", "failure_of"]

MEMORY_SECONDS = 0.05
"""The memory that the worker holds is looked at so often at the most."""


class Runner:
    """Runs units through the stages of a segment.

    Args:
        assignment: what to run.
        worker: number of the worker; names of attempts carry it.
        metadata: what stages are told in ``setup``.

    Attributes:
        figures: of the last unit, also of one that failed.
    """

    def __init__(self, assignment: Assignment, worker: int, metadata: WorkerMetadata | None = None) -> None:
        self.assignment = assignment
        self.worker = worker
        self.metadata = metadata or WorkerMetadata(str(worker))
        self.figures = Figures()
        self._ready: list[Stage] = []
        self._gpu: GpuMemory | None = None
        self._memory = 0
        self._looked = self._watched = float("-inf")
        self._syncer = Syncer()
        use_protocols(assignment.protocols)
        self._collector = Collector()

    def setup(self) -> None:
        """Set the stages up, in order; :meth:`teardown` is due whether it works or not.

        Raises:
            GpucurateError: a stage could not be set up, or the GPU.
        """
        if self.assignment.uploads is not None and self.assignment.folder is not None:
            make_folder(self.assignment.folder)  # on a machine that the driver does not share a disk with
        if self.assignment.uses_gpu:
            self._gpu = worker_memory(self.assignment.gpu_memory, self.assignment.torch)
        for stage, device in zip(self.assignment.stages, self._devices, strict=True):
            stage.place(device, self._gpu if device == "cuda" else None)
        for stage in self.assignment.stages:
            self._ready.append(stage)
            try:
                call_hook(stage.setup, self.metadata)
            except GpucurateError:
                raise
            except (Exception, SystemExit) as error:
                raise StageError(told(stage, error, "could not be set up:"), stage.name) from error

    def teardown(self) -> None:
        """Tear down every stage whose setup was begun, the last first, though one should fail.

        Raises:
            StageError: a stage could not be torn down.
        """
        self._syncer.close()
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

    @property
    def memory(self) -> int:
        """Bytes of host memory that this process holds, as of a moment ago."""
        now = time.monotonic()
        if now - self._looked >= MEMORY_SECONDS:
            self._memory, self._looked = resident_memory(), now
        return self._memory

    @property
    def gpu_memory(self) -> int:
        """Bytes of its GPU that it holds."""
        return 0 if self._gpu is None else self._gpu.pool.current_bytes

    def run(self, unit: Unit, order: Order, given: Any = None) -> UnitResult:
        """Run one unit through the segment, until its files are on disk.

        Arguments and errors as for :meth:`start`; a file that cannot be synced is a ``StorageError``.
        """
        return self.start(unit, order, given).wait()

    def start(self, unit: Unit, order: Order, given: Any = None) -> Unsynced:
        """Run one unit through the segment; its files are synced while the next one runs.

        Args:
            unit: what the first segment reads.
            order: how.
            given: ``handed_on`` of the segment before; None in the first one.

        Raises:
            InputLostError: what was given is gone, and has to be made again.
            GpucurateError: what the failure was; nothing of the unit is left on disk.
            Exception: what a stage raised.
        """
        reach("unit.before_start")
        began = time.perf_counter()
        prefix = self.assignment.attempt(unit.id, order.attempt, self.worker)
        files = UnitFiles(self._syncer)
        context = UnitContext(unit.id, unit.index, self.assignment.folder, prefix, sync=files.sync)
        rejects = UnitRejects(self.assignment, context)
        recovery = Recovery(order, context, Gauge(self.gpu_memory))
        result, output_bytes = UnitResult(unit.id, books=context.books, outputs=context.outputs), 0
        is_watched = self._watch_stages()
        try:
            if context.folder is not None and (order.bisect or order.suspects or order.alone):
                recovery.journal = Journal(journal_path(context.folder, prefix))
            output_bytes = self._run(unit, given, context, recovery, result)
            reach("unit.before_rejects")
            rejects.keep()
        except BaseException:
            rejects.abandon()
            for stage in self.assignment.stages:
                stage.bind(None)
                stage.take_counts()
            self._remove(prefix, result)
            raise
        finally:
            if recovery.journal is not None:
                recovery.journal.close()
            seconds, collected = time.perf_counter() - began, self._collect()
            self.figures = Figures(
                seconds=seconds,
                output_bytes=output_bytes,
                memory=self.memory,
                gpu_memory=self.gpu_memory,
                samples=tuple(recovery.gauge.samples),
                growth=tuple(stats.host_growth_bytes for stats in result.stages) if is_watched else (),
                collected=collected,
            )
        result.figures = self.figures
        reach("unit.before_sync")
        if self.assignment.uploads is not None:
            files.upload(result.outputs, self.assignment.uploads.bring)
        return Unsynced(result, files, partial(self._undo, prefix, result, files))

    def _watch_stages(self) -> bool:
        """Whether to measure by how much the process grows during the stages: not of each short unit."""
        now = time.monotonic()
        is_watched = now - self._watched >= MEMORY_SECONDS
        self._watched = now if is_watched else self._watched
        for stage in self.assignment.stages:
            stage._is_watched = is_watched
        return is_watched

    def _collect(self) -> Collected:
        """Give back what can be, where enough has come together since the last time."""
        collected = self._collector.between_units(self.memory)
        if collected.count:
            self._looked = float("-inf")
        return collected

    def _run(
        self, unit: Unit, given: Any, context: UnitContext, recovery: Recovery, result: UnitResult
    ) -> int:
        """Fill the result; bytes that are handed on."""
        work = self.assignment
        cap = recovery.order.batch_cap if work.splittable else None
        chain = Chain(work.stages, work.devices, recovery, cap)
        for stage in work.stages:
            stage.bind(context)
        made = chain.run(self._tasks(unit, given, context, cap))
        size = 0
        if work.is_last:
            # Not a comprehension: its variable would hold a batch while the next one is read.
            result.tasks = list(map(partial(self._final, chain), made))
        else:
            on_host = map(chain.on_host, made)  # not a comprehension here either
            result.handed_on, size = self._exchange.put(
                map(partial(_placed, context), on_host), context.prefix
            )
        recovery.conclude(work.stages)
        result.stages = chain.statistics()
        result.tallies = context.tallies
        result.input_bytes = context.input_bytes
        result.reduced = context.reduced
        result.saved = context.saved
        chain.settle(
            context.books,
            tallied=bool(context.tallies),
            is_first=work.is_first and unit.begins is None,
            is_last=work.is_last,
        )
        for stage in work.stages:
            stage.bind(None)
        return size

    def _tasks(self, unit: Unit, given: Any, context: UnitContext, cap: int | None) -> Iterator[AnyTask]:
        """What enters the first stage, in batches as the segment wants them."""
        work = self.assignment
        if work.is_first and unit.begins is None:
            return recut(_tasks_of(unit), None, cap)
        saved = unit.begins if work.is_first else None
        made = self._exchange.get(given) if saved is None else read_saved(saved)
        tasks = map(partial(_met, context), made)
        return recut(tasks, work.batch_bytes, cap) if work.splittable else tasks

    @property
    def _exchange(self) -> Exchange:
        if self.assignment.exchange is None:
            raise ConfigurationError(
                f"segment {self.assignment.segment} of {self.assignment.phase!r} shares units with another, "
                "and was given no exchange to hand them over by"
            )
        return self.assignment.exchange

    def _final(self, chain: Chain, task: Task[Any]) -> Task[Any]:
        if self.assignment.collect:
            return chain.on_host(task)  # the GPU is for what comes next
        return task if isinstance(task, FileGroupTask | TaskDescriptor) else TaskDescriptor.of(task)

    def _undo(self, prefix: str, result: UnitResult, files: UnitFiles) -> None:
        """What has been brought into a store too."""
        self._remove(prefix, result)
        if self.assignment.uploads is not None:
            for output in files.brought():
                with suppress(StorageError):  # the store fails already: a later owner ends what is left
                    self.assignment.uploads.drop(output)

    def _remove(self, prefix: str, result: UnitResult) -> None:
        """What an attempt has left behind."""
        remove_attempts(self.assignment.folder, prefix)
        if result.handed_on is not None:
            self._exchange.drop(result.handed_on)


def remove_attempts(folder: Path | None, prefix: str) -> None:
    """Remove the files of an attempt at a unit, if the run writes any."""
    if folder is not None:
        for path in folder.glob(f"{prefix}-*"):
            path.unlink(missing_ok=True)


def _placed(context: UnitContext, task: AnyTask) -> AnyTask:
    """A task that goes to another worker, with the place of its file range in the unit."""
    if task._origin is not None:
        task._origin = context.placed(task._origin)
    return task


def _met(context: UnitContext, task: AnyTask) -> AnyTask:
    if task._origin is not None:
        context.meet(task._origin)
    return task


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
    return kind, redact(message)
