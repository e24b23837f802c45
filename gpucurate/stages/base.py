"""The stage: what users write, and what pipelines are made of."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.resources import Resources
from gpucurate.spec.worker import NodeInfo, WorkerMetadata
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.task import Task

X = TypeVar("X", bound=Task[Any])
Y = TypeVar("Y", bound=Task[Any])

StageIO = tuple[list[str], list[str]]
"""Attributes of the task, and columns of its table."""


class ProcessingStage(ABC, Generic[X, Y]):
    """One step of a pipeline, from task to task.

    A subclass gives :meth:`process` and, where it matters, the columns it needs and
    makes. One instance is set up once per worker and then sees many tasks. It must not
    change the task it is given: ``batch.select(mask)`` and ``batch.assign(columns)``
    make a new one.

    Attributes:
        name: for messages, reports and the plan; the class's name if not set.
        resources: what one worker asks for.
        batch_size: tasks given to :meth:`process_batch` at a time.
        runtime_env: environment of the stage's workers: ``env_vars`` and ``py_executable``, no other keys.
            Stages of different environments do not share a worker.
        devices: devices the stage runs on. One that names only ``cuda`` is refused
            where there is none. A stage runs on the GPU if its resources ask for one, or if it
            runs nowhere else; it is given cuDF there.
        follows_device: whether batches are taken wherever they are, since the stage looks at none
            of their columns, or at few: such a stage never makes a batch move. A first stage goes
            where the next one is that follows nobody.
        uses_torch: whether it computes with torch, which on a GPU needs memory of its own, or the
            pool's (``torch_memory`` of the executor).
        splittable: whether what it makes does not depend on how rows are divided into batches: then batches
            may be joined, split, and halved where memory runs out.
        gang: whether its workers know of each other, and start and end together: as many as
            :meth:`num_workers` says.
        is_checkpoint: whether it keeps what passes, so that a later run can begin behind it.

    >>> class Shout(ProcessingStage[DocumentBatch, DocumentBatch]):
    ...     def inputs(self):
    ...         return ["data"], ["text"]
    ...     def process(self, batch):
    ...         return batch.assign({"text": batch.to_pandas()["text"].str.upper()})
    """

    name: str = ""
    resources: Resources = Resources(cpus=1.0)
    batch_size: int = 1
    runtime_env: dict[str, Any] | None = None
    devices: frozenset[Device] | set[Device] = frozenset({"cpu", "cuda"})
    follows_device: bool = False
    uses_torch: bool = False
    splittable: bool = True
    gang: bool = False
    is_checkpoint: ClassVar[bool] = False

    _counters: Counter[str] | None = None
    _dropped: Counter[str] | None = None
    _context: UnitContext | None = None
    _device: Device = "cpu"
    _gpu_memory: GpuMemory | None = None
    _is_watched = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        given_name = cls.name and cls.name not in {base.__name__ for base in cls.__mro__}
        if "name" not in cls.__dict__ and not given_name:
            cls.name = cls.__name__

    def inputs(self) -> StageIO:
        """Task attributes and columns that must be there."""
        return [], []

    def outputs(self) -> StageIO:
        """Task attributes and columns that are there afterwards, added to those before."""
        return [], []

    def setup_on_node(
        self, node_info: NodeInfo | None = None, worker_metadata: WorkerMetadata | None = None
    ) -> None:
        """Called once per machine before any worker's :meth:`setup`: fetch files, fill caches.

        What it sets on ``self`` is not kept: workers are other processes.
        """

    def setup(self, worker_metadata: WorkerMetadata | None = None) -> None:
        """Called once per worker: load models, open connections; a gang meets here.

        A stage that does not care where it runs may leave the argument out.
        """

    @abstractmethod
    def process(self, task: X) -> Y | Iterable[Y] | None:
        """The task or tasks that come of ``task``; None drops it.

        A generator hands tasks on one by one, so that what is large need not be held at once.
        """

    def process_batch(self, tasks: list[X]) -> Iterable[Y]:
        """The tasks that come of up to ``batch_size`` tasks.

        Where it does not give one task for each, results must come from one unit of
        work, or be made with ``select`` and ``assign``, so that rows stay with their file.
        """
        for task in tasks:
            made = self.process(task)
            if isinstance(made, Task):
                yield made
            elif made is not None:
                yield from made

    def flush(self) -> Iterable[Y]:
        """Tasks still held back when a unit of work has gone through; called for every unit."""
        return ()

    def teardown(self) -> None:
        """Called once per worker at its end, also after a failure."""

    def num_workers(self) -> int | None:
        """At most so many workers; None for no limit of its own."""
        return None

    def count(self, name: str, n: int = 1) -> None:
        """Add ``n`` to a figure of the report; counted once however often a task is tried."""
        if self._counters is None:
            self._counters = Counter()
        self._counters[name] += int(n)

    def take_counts(self) -> Counter[str]:
        """What was counted since the last call. For the worker."""
        counts, self._counters = self._counters or Counter(), None
        return counts

    def count_dropped(self, reason: str, n: int = 1) -> None:
        """Say why ``n`` of the documents go that this stage drops: the books show ``stage: reason``."""
        if self._dropped is None:
            self._dropped = Counter()
        self._dropped[f"{self.name}: {reason}"] += int(n)

    def take_dropped(self) -> Counter[str]:
        """Documents dropped since the last call, as the books show them. For the worker."""
        dropped, self._dropped = self._dropped or Counter(), None
        return dropped

    @property
    def members(self) -> Sequence[ProcessingStage[Any, Any]]:
        """Stages that run within this one."""
        return ()

    @property
    def context(self) -> UnitContext:
        """The unit that is running.

        Raises:
            RuntimeError: no unit is running.
        """
        if self._context is None:
            raise RuntimeError(f"stage {self.name!r} was called outside a run")
        return self._context

    @property
    def device(self) -> Device:
        """Where the stage runs; known once a worker sets it up."""
        return self._device

    @property
    def gpu_memory(self) -> GpuMemory:
        """Memory of the GPU that the stage runs on: to reserve, to spill, to do a batch in parts.

        Raises:
            RuntimeError: it does not run on one.
        """
        if self._gpu_memory is None:
            raise RuntimeError(f"stage {self.name!r} does not run on a GPU")
        return self._gpu_memory

    def place(self, device: Device, gpu_memory: GpuMemory | None = None) -> None:
        """Tell the stage where it runs. For the worker, before ``setup``."""
        self._device, self._gpu_memory = device, gpu_memory

    def bind(self, context: UnitContext | None) -> None:
        """Give the stage the unit that runs next. For the worker."""
        self._context, self._dropped = context, None

    def with_(
        self,
        *,
        name: str | None = None,
        resources: Resources | None = None,
        batch_size: int | None = None,
        runtime_env: dict[str, Any] | None = None,
    ) -> Self:
        """A copy of the stage with some attributes set.

        Raises:
            ConfigurationError: ``batch_size`` below 1.
        """
        if batch_size is not None and batch_size < 1:
            raise ConfigurationError(
                f"stage {self.name!r}: batch_size is {batch_size}, it must be at least 1"
            )
        changed = copy.copy(self)
        given = {"name": name, "resources": resources, "batch_size": batch_size, "runtime_env": runtime_env}
        for attribute, value in given.items():
            if value is not None:
                object.__setattr__(changed, attribute, value)
        return changed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class SourceStage(ProcessingStage[X, Y]):
    """A first stage that knows which ranges of which files there are to read."""

    @abstractmethod
    def partition(self) -> Sequence[tuple[Any, ...]]:
        """File ranges, grouped into tasks; called once, by the driver."""

    @abstractmethod
    def schema(self) -> list[str] | None:
        """Columns of the first file, None if they cannot be known without reading it."""


class CompositeStage(ProcessingStage[X, Y]):
    """A stage that stands for several; it is taken apart when the pipeline is built."""

    @abstractmethod
    def decompose(self) -> list[ProcessingStage[Any, Any]]:
        """The stages it stands for, in order."""

    def process(self, task: X) -> Y | Iterable[Y] | None:
        """Never called: the stages of :meth:`decompose` run instead."""
        raise ConfigurationError(
            f"composite stage {self.name!r} was run without being taken apart by build()"
        )
