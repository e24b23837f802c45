"""Ways to carry a plan out; all run the same worker under the same scheduler."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gpucurate.backends.base import Backend
from gpucurate.backends.chain import Stage
from gpucurate.backends.cores import usable_cores
from gpucurate.backends.driver import Driver, Outcome
from gpucurate.backends.gpu import close_memory
from gpucurate.backends.inline import InlineBackend
from gpucurate.backends.local import LocalBackend
from gpucurate.backends.process import WorkerPool
from gpucurate.backends.runner import Assignment
from gpucurate.checkpoint.phase import Phase
from gpucurate.memory.gpus import visible_gpus
from gpucurate.memory.host import available_memory
from gpucurate.memory.torch_pool import TorchMode
from gpucurate.planning.memory import unit_memory
from gpucurate.scheduling.policy import Policy
from gpucurate.spec.bytesize import MIB, format_bytes, parse_bytes
from gpucurate.spec.errors import ConfigurationError, GpucurateError, StageError
from gpucurate.spec.plan import Plan
from gpucurate.spec.progress import Observer
from gpucurate.spec.unit import Unit
from gpucurate.stages.told import told

INLINE_BELOW = 64 * MIB
"""Input smaller than this is done before worker processes would have started."""

WORKER_BASE = 160 * MIB
"""What a worker process holds before its first unit: the interpreter and its libraries."""

MEMORY_SHARE = 0.6
"""Share of the free memory that a run may use unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Job:
    """What an executor is given.

    Attributes:
        plan: of the phase.
        stages: the stage objects, in the plan's order.
        units: all units of the phase.
        phase: where results become final; None for a run that leaves nothing on disk.
        collect: whether final tasks come back with their data.
    """

    plan: Plan
    stages: Sequence[Stage]
    units: Sequence[Unit]
    phase: Phase | None
    collect: bool

    @property
    def piece_bytes(self) -> int | None:
        """The most that the source holds at a time."""
        return self.plan.segments[0].stages[0].piece_bytes


class Executor(Protocol):
    """Runs the units of a phase to their end.

    Attributes:
        workers: how many run at a time, at most.
        memory: bytes that the run may use in all.
        gpu_memory: bytes that it may use of each GPU; a share of it if None.
    """

    workers: int
    memory: int
    gpu_memory: int | None

    @property
    def gpu_workers(self) -> int:
        """Workers of a phase with stages on GPUs."""
        ...

    def describe(self) -> str:
        """Name and settings, for the report."""

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            GpucurateError: see :meth:`Driver.run`.
        """

    def close(self) -> None:
        """End what is kept between phases; the executor can be used again."""


class InlineExecutor:
    """Runs everything in this process, one unit at a time.

    Args:
        memory: bytes that passes over keys may use; 60% of what is free by default.
        gpu_memory: bytes of the current GPU that stages on it may use; most of it by default.
        torch_memory: as of :class:`LocalExecutor`.
    """

    def __init__(
        self,
        memory: int | str | None = None,
        gpu_memory: int | str | None = None,
        *,
        torch_memory: TorchMode = "separate",
    ) -> None:
        self.workers = 1
        self.torch_memory = torch_memory
        self.memory = _memory(memory)
        self.gpu_memory = None if gpu_memory is None else parse_bytes(gpu_memory)

    def describe(self) -> str:
        """Name, for the report."""
        return "inline"

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase."""
        backend = InlineBackend(_assignment(job, self.gpu_memory, self.torch_memory))
        return _drive(job, observer, backend, workers=1, budget=1)

    @property
    def gpu_workers(self) -> int:
        """One: this process."""
        return 1

    def close(self) -> None:
        """Give back what this process holds of its GPU."""
        close_memory()


class LocalExecutor:
    """Runs worker processes on this machine.

    Args:
        workers: at most so many; one a core by default.
        memory: bytes that the run may use in all, as a number or such as ``4GB``; 60% of
            what is free by default. Fewer workers run where they would not fit; one unit
            always may.
        gpus: phases with stages on GPUs have a worker for each of so many; of all by default.
        gpu_memory: bytes of each GPU that they may use, such as ``40GB``; most of it by default.
        torch_memory: where stages use torch, ``separate`` gives it half of that, ``rmm`` lets it
            allocate from the pool of all others, without statistics of its own and without CUDA graphs
            (docs/memory.md).

    Raises:
        ConfigurationError: less than one worker or GPU, or not a size.
    """

    def __init__(
        self,
        workers: int | None = None,
        memory: int | str | None = None,
        *,
        gpus: int | None = None,
        gpu_memory: int | str | None = None,
        torch_memory: TorchMode = "separate",
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigurationError(f"{workers} workers: at least 1 is needed")
        if gpus is not None and gpus < 1:
            raise ConfigurationError(f"{gpus} GPUs: at least 1 is needed, or no stage that asks for one")
        self.gpus = gpus
        self.torch_memory = torch_memory
        self.gpu_memory = None if gpu_memory is None else parse_bytes(gpu_memory)
        self.workers = workers or usable_cores()
        self.memory = _memory(memory)
        self._pool = WorkerPool()

    def describe(self) -> str:
        """Name and settings, for the report."""
        return f"local, {self.workers} workers, memory {format_bytes(self.memory)}"

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase."""
        largest = max((unit_memory(unit, job.piece_bytes) for unit in job.units), default=1)
        spare = max(0, self.memory - WORKER_BASE)  # the driver's own
        fitting = spare // (WORKER_BASE + largest)
        limit = job.plan.segments[0].max_workers or self.workers
        gpus = self._gpus() if job.plan.uses_gpu else []
        workers = max(1, min(len(gpus) if gpus else self.workers, limit, fitting))
        budget = max(1, spare - workers * WORKER_BASE)
        backend = LocalBackend(_assignment(job, self.gpu_memory, self.torch_memory), self._pool, gpus)
        return _drive(job, observer, backend, workers=workers, budget=budget)

    @property
    def gpu_workers(self) -> int:
        """Workers of a phase with stages on GPUs: one each.

        Raises:
            ConfigurationError: more GPUs were asked for than there are.
        """
        return len(self._gpus())

    def _gpus(self) -> list[str]:
        there = visible_gpus()
        if len(there) < (self.gpus or 1):
            raise ConfigurationError(f"{self.gpus or 1} GPUs were asked for, and there are {len(there)}")
        return there[: self.gpus]

    def close(self) -> None:
        """End the processes that wait for another phase."""
        self._pool.close()


def _memory(given: int | str | None) -> int:
    return parse_bytes(given) if given is not None else int(available_memory() * MEMORY_SHARE)


def default_executor(
    input_bytes: int, memory: int | str | None = None, gpu_memory: int | str | None = None
) -> InlineExecutor | LocalExecutor:
    """Inline for inputs that are done before worker processes would have started, else local.

    Args:
        input_bytes: size of the input.
        memory: bytes that the run may use.
        gpu_memory: bytes that it may use of each GPU.
    """
    if input_bytes < INLINE_BELOW or usable_cores() == 1:
        return InlineExecutor(memory, gpu_memory)
    return LocalExecutor(memory=memory, gpu_memory=gpu_memory)


def _assignment(job: Job, gpu_memory: int | None, torch_memory: TorchMode) -> Assignment:
    folder = job.phase.folder.attempts if job.phase else None
    devices = job.plan.devices if job.plan.uses_gpu else ()
    limits = [limit for limit in (gpu_memory, job.plan.gpu_memory) if limit is not None]
    limit = min(limits, default=None)
    return Assignment(job.plan.name, job.stages, folder, job.collect, devices, limit, torch_memory)


def _drive(job: Job, observer: Observer, backend: Backend, *, workers: int, budget: int) -> Outcome:
    sizes = {unit.id: unit_memory(unit, job.piece_bytes) for unit in job.units}
    driver = Driver(
        job.units,
        sizes=sizes,
        policy=Policy(workers, budget),
        backend=backend,
        observer=observer,
        phase=job.phase,
    )
    if driver.has_work:
        for stage in job.stages:
            _set_up_on_node(stage)
    return driver.run(job.plan.name)


def _set_up_on_node(stage: Stage) -> None:
    """On a copy, since what it sets would reach workers of this machine alone."""
    try:
        copy.copy(stage).setup_on_node()
    except GpucurateError:
        raise
    except Exception as error:
        *trace, last = told(stage, error, "could not be set up on this machine:").splitlines()
        failure = StageError(last, stage.name)
        failure.add_note("\n".join(trace))
        raise failure from error
