"""Ways to carry a plan out on this machine; all run the same worker under the same scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.cores import usable_cores
from gpucurate.backends.drive import assignments_of, drive
from gpucurate.backends.driver import Outcome
from gpucurate.backends.environment import Environment
from gpucurate.backends.exchange import FolderExchange
from gpucurate.backends.gpu import close_memory
from gpucurate.backends.inline import InlineBackend
from gpucurate.backends.job import Executor, Job
from gpucurate.backends.lanes import WORKER_BASE, lanes_of, policy_of
from gpucurate.backends.local import LocalBackend
from gpucurate.backends.machine import gpus_of_machine, local_node
from gpucurate.backends.node_setup import set_up_node
from gpucurate.backends.process import WorkerPool
from gpucurate.backends.session import Session, scratch_room
from gpucurate.backends.settings import RunSettings
from gpucurate.memory.host import available_memory
from gpucurate.memory.torch_pool import TorchMode
from gpucurate.planning.feasibility import check_feasible, time_sharing
from gpucurate.scheduling.policy import Lane
from gpucurate.spec.bytesize import MIB, format_bytes, parse_bytes
from gpucurate.spec.cluster import Gpu, Node
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.progress import Observer

__all__ = ["Executor", "InlineExecutor", "Job", "LocalExecutor", "default_executor"]

Config = Mapping[str, Any] | RunSettings | None
"""Settings of a run by name (:class:`RunSettings`)."""

INLINE_BELOW = 64 * MIB
"""Input smaller than this is done before worker processes would have started."""

MEMORY_SHARE = 0.6
"""Share of the free memory that a run may use unless told otherwise."""

EDGE_SHARE = 4
"""What waits between segments may take one part in so many of the run's memory."""

MAX_SLOTS = 64
"""Units that a worker may have, where units take next to no time."""


class InlineExecutor:
    """Runs everything in this process, one unit at a time.

    Args:
        memory: bytes that passes over keys may use; 60% of what is free by default.
        gpu_memory: bytes of the current GPU that stages on it may use; most of it by default.
        torch_memory: as of :class:`LocalExecutor`.
        config: as of :class:`LocalExecutor`.
    """

    def __init__(
        self,
        memory: int | str | None = None,
        gpu_memory: int | str | None = None,
        *,
        torch_memory: TorchMode = "separate",
        config: Config = None,
    ) -> None:
        self.workers = 1
        self.settings = RunSettings.of(config)
        self.torch_memory = torch_memory
        self.memory = _memory(memory)
        self.gpu_memory = None if gpu_memory is None else parse_bytes(gpu_memory)

    def describe(self) -> str:
        """Name, for the report."""
        return "inline"

    def machines(self) -> Sequence[Node] | None:
        """None: this machine, as it is."""
        return None

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            ConfigurationError: a stage asks for an environment of its own, or for a gang.
            GpucurateError: see :meth:`Driver.run`.
        """
        for segment in job.plan.segments:
            if segment.environment or segment.gang:
                asked = "runtime_env" if segment.environment else f"{segment.gang} workers at a time"
                raise ConfigurationError(
                    f"{segment.name} asks for {asked}, and everything runs in this process: use LocalExecutor"
                )
        count = len(job.legs)
        session = Session(scratch_room(0, on_disk=True).folder) if count > 1 else None
        try:
            exchange = FolderExchange(session.path) if session else None
            work = [self._assignment(job, at, exchange) for at in range(count)]
            return drive(
                job,
                observer,
                InlineBackend(work, Node("local", 1000 * count, self.memory)),
                lanes=[
                    Lane("all stages", edge_bytes=int(not each.is_last), splittable=each.splittable)
                    for each in work
                ],
                policy=policy_of(self.settings.with_(worker_max_leak=None), workers=count, budget_bytes=1),
                settings=self.settings,
                before=lambda: set_up_node(job.stages),
                ends=range(count - 1),
            )
        finally:
            if session:
                session.close()

    def _assignment(self, job: Job, at: int, exchange: FolderExchange | None) -> Assignment:
        """All stages up to the next checkpoint."""
        leg = job.legs[at]
        limits = [limit for limit in (self.gpu_memory, job.plan.gpu_memory) if limit is not None]
        return Assignment(
            phase=job.plan.name,
            stages=[stage for segment in leg for stage in job.stages_of(segment.index)],
            folder=job.phase.folder.attempts if job.phase else None,
            collect=job.collect and at == len(job.legs) - 1,
            devices=[s.device for s in leg for _ in s.stages] if job.plan.uses_gpu else (),
            gpu_memory=min(limits, default=None),
            torch_memory=self.torch_memory,
            segment=at,
            first=job.stages_before + leg[0].first,
            is_first=at == 0,
            is_last=at == len(job.legs) - 1,
            batch_bytes=leg[0].batch_bytes,
            splittable=all(segment.splittable for segment in leg),
            exchange=exchange,
            uploads=job.uploads,
        )

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
        workers: at most so many, but one for each segment that works at a time (all of a gang); one a core
            by default.
        memory: bytes that the run may use in all, as a number or such as ``4GB``; 60% of
            what is free by default. Fewer workers run where they would not fit; one unit
            always may.
        gpus: phases with stages on GPUs have a worker for each of so many; of all by default.
        gpu_memory: bytes of each GPU that they may use, such as ``40GB``; most of it by default.
        torch_memory: where stages use torch, ``separate`` gives it half of that, ``rmm`` lets it
            allocate from the pool of all others, without statistics of its own and without CUDA graphs
            (docs/memory.md).
        config: settings by name, see :class:`RunSettings`.

    Raises:
        ConfigurationError: less than one worker or GPU, not a size, or a setting that is not known.
    """

    def __init__(
        self,
        workers: int | None = None,
        memory: int | str | None = None,
        *,
        gpus: int | None = None,
        gpu_memory: int | str | None = None,
        torch_memory: TorchMode = "separate",
        config: Config = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigurationError(f"{workers} workers: at least 1 is needed")
        if gpus is not None and gpus < 1:
            raise ConfigurationError(f"{gpus} GPUs: at least 1 is needed, or no stage that asks for one")
        self.settings = RunSettings.of(config)
        self.gpus = gpus
        self.torch_memory = torch_memory
        self.gpu_memory = None if gpu_memory is None else parse_bytes(gpu_memory)
        self.workers = workers or max(1, int(usable_cores() * self.settings.cpu_allocation_percentage))
        self.memory = _memory(memory)
        self._pool = WorkerPool(keeps=not self.settings.recycles)

    def describe(self) -> str:
        """Name and settings, for the report."""
        return f"local, {self.workers} workers, memory {format_bytes(self.memory)}"

    def machines(self) -> Sequence[Node] | None:
        """None: this machine, as it is."""
        return None

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            ConfigurationError: this machine cannot hold a worker of some segment.
            GpucurateError: see :meth:`Driver.run`.
        """
        count = len(job.plan.segments)
        gpus = self._gpus() if job.plan.uses_gpu else []
        workers = self._workers(job, gpus)
        spare = max(0, self.memory - WORKER_BASE)  # the driver's own
        edges = spare // EDGE_SHARE if count > 1 else 0
        check_feasible(job.plan, [local_node(workers, self.memory, gpus)])
        spare_place = int(self.settings.recycles)  # for a successor beside the one that it is to replace
        node = local_node(max(workers, usable_cores()) + spare_place, self.memory, gpus)
        room = scratch_room(edges, on_disk=self._spills(job, node)) if count > 1 else None
        session = Session(room.folder) if room else None
        try:
            exchange = FolderExchange(session.path) if session else None
            backend = LocalBackend(
                assignments_of(
                    job, gpu_memory=self.gpu_memory, torch_memory=self.torch_memory, exchange=exchange
                ),
                self._pool,
                node,
                [Environment.of(segment.environment) for segment in job.plan.segments],
            )
            return drive(
                job,
                observer,
                backend,
                lanes=lanes_of(
                    job.plan, edge_bytes=room.nbytes // (count - 1) if room else 0, worker_memory=0
                ),
                policy=policy_of(
                    self.settings,
                    workers=workers,
                    budget_bytes=max(1, spare - edges - workers * WORKER_BASE),
                    max_slots=MAX_SLOTS,
                ),
                settings=self.settings,
                before=lambda: set_up_node(_in_this_environment(job)),
            )
        finally:
            if session:
                session.close()

    def _workers(self, job: Job, gpus: list[Gpu]) -> int:
        """Processes at a time: as many as fit into memory, and one for each segment that works at a time."""
        segments = job.plan.segments
        spare = max(0, self.memory - WORKER_BASE)
        fitting = spare // (WORKER_BASE + max(job.sizes.values(), default=1))
        if len(segments) == 1:
            limit = segments[0].max_workers or self.workers
            return max(segments[0].gang, 1, min(len(gpus) if gpus else self.workers, limit, fitting))
        sizes = [segment.gang or 1 for segment in segments]
        gangs = max(sizes) if self.settings.execution_mode == "batch" else sum(sizes)
        return max(gangs, min(self.workers + len(gpus), fitting))

    def _spills(self, job: Job, node: Node) -> bool:
        """Whether what crosses goes to disk, since it may be all there is of a segment's output."""
        return self.settings.execution_mode == "batch" or len(time_sharing(job.plan, [node])) > 1

    @property
    def gpu_workers(self) -> int:
        """Workers of a phase with stages on GPUs: one each.

        Raises:
            ConfigurationError: more GPUs were asked for than there are.
        """
        return len(self._gpus())

    def _gpus(self) -> list[Gpu]:
        there = gpus_of_machine()
        if len(there) < (self.gpus or 1):
            raise ConfigurationError(f"{self.gpus or 1} GPUs were asked for, and there are {len(there)}")
        return there[: self.gpus]

    def close(self) -> None:
        """End the processes that wait for another phase."""
        self._pool.close()


def _in_this_environment(job: Job) -> list[Any]:
    """Stages whose workers have no environment of their own: others are set up in theirs."""
    return [
        stage
        for segment in job.plan.segments
        if not segment.environment
        for stage in job.stages_of(segment.index)
    ]


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
