"""Independent stages over one batch."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from gpucurate.frame import table as frame
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.spec.device import Device
from gpucurate.spec.errors import StageError
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.stages.hooks import call_hook
from gpucurate.stages.shapes import members as of
from gpucurate.stages.shapes.calls import calling
from gpucurate.stages.shapes.rows import Found, Mask, Rows
from gpucurate.tasks.document import DocumentBatch

Stage = ProcessingStage[Any, Any]


class Parallel(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Filters, scores or models that do not need each other, as one stage.

    Each is given every batch as it came, with all its rows; none sees what another made of it. A row
    stays if all keep it, with the columns that any of them added. So the order matters in one place
    only: the books count a row that several drop for the first of them, under that stage's name.

    The stages are row-wise: of a batch they make one batch or none, of a row one row or none, in order.
    They do so with ``select`` and ``assign``, or with a table of their own: then rows are known by the
    column ``_gpucurate_row``, which stages that are not gpucurate's own find in their batches and which
    goes no further; without it the table must have all rows. Of a table of one's own the columns count
    that are new or that ``outputs()`` declares; all others stay as they were.

    They run in one worker, on one device, one after the other: the worker has the most cores that any of
    them asks for, and as much GPU memory as all together.

    Args:
        stages: at least one; no readers, no writers, and none that keeps rows for later.
        name: for messages and the report; ``parallel(a, b)`` if not given.

    Raises:
        ConfigurationError: two stages of one name or with one new column, no device that all run on,
            a stage that reads or writes files.

    >>> Parallel([TooShort(), LanguageScore(), Quality()])
    """

    not_in_plan: ClassVar[tuple[str, ...]] = ("stages", "follows_device", "uses_torch")

    def __init__(self, stages: Iterable[Stage], *, name: str | None = None) -> None:
        self.stages = of.checked(stages)
        self.name = name or f"parallel({', '.join(stage.name for stage in self.stages)})"
        self.resources = of.resources(self.stages)
        self.devices = of.devices(self.stages)
        self.runtime_env = of.environment(self.stages)
        self.follows_device = all(stage.follows_device for stage in self.stages)
        self.uses_torch = any(stage.uses_torch for stage in self.stages)
        self.splittable = all(stage.splittable for stage in self.stages)
        self.gang = any(stage.gang for stage in self.stages)
        self._ready: list[Stage] = []

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.stages = [copy.copy(stage) for stage in self.stages]
        return twin

    @property
    def members(self) -> Sequence[Stage]:
        """The stages."""
        return self.stages

    def inputs(self) -> StageIO:
        """What any of the stages needs."""
        return of.union(stage.inputs() for stage in self.stages)

    def outputs(self) -> StageIO:
        """What any of them makes."""
        return of.union(stage.outputs() for stage in self.stages)

    def num_workers(self) -> int | None:
        """The lowest limit that any of them sets."""
        limits = [limit for stage in self.stages if (limit := stage.num_workers()) is not None]
        return min(limits, default=None)

    def setup_on_node(self, node_info: Any = None, worker_metadata: Any = None) -> None:
        """That of each."""
        for stage in self.stages:
            with calling(stage, "could not be set up on this machine:"):
                call_hook(stage.setup_on_node, node_info, worker_metadata)

    def setup(self, worker_metadata: Any = None) -> None:
        """That of each, in order."""
        self._ready = []
        for stage in self.stages:
            self._ready.append(stage)
            with calling(stage, "could not be set up:"):
                call_hook(stage.setup, worker_metadata)

    def teardown(self) -> None:
        """That of each whose setup was begun, the last first, though one should fail."""
        failure: StageError | None = None
        while self._ready:
            stage = self._ready.pop()
            try:
                with calling(stage, "could not be torn down:"):
                    stage.teardown()
            except StageError as error:
                failure = error
        if failure is not None:
            raise failure

    def place(self, device: Device, gpu_memory: GpuMemory | None = None) -> None:
        """Tell all of them where they run."""
        super().place(device, gpu_memory)
        for stage in self.stages:
            stage.place(device, gpu_memory)

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit."""
        super().bind(context)
        for stage in self.stages:
            stage.bind(context)

    def process(self, task: DocumentBatch) -> DocumentBatch | None:
        """The rows that all keep, with all new columns; None if one made nothing of the batch."""
        if not isinstance(task, DocumentBatch):
            raise StageError(
                f"stage {self.name!r} was given a {type(task).__name__}: it takes batches of documents",
                self.name,
            )
        with self._counting():
            made = self._made(task)
            merged = None if any(found.is_gone for found in made.values()) else _merged(task, made)
        self._note_dropped(made, task.num_items)
        return merged

    def flush(self) -> Iterable[DocumentBatch]:
        """Nothing: the stages keep nothing back."""
        with self._counting():
            for stage in self.stages:
                with calling(stage, f"in {self.name!r} raised"):
                    held = list(stage.flush())
                if held:
                    raise _too_many(stage, "batches when a unit of work had gone through")
        return ()

    def _made(self, task: DocumentBatch) -> dict[str, Found]:
        rows = Rows(task)
        return {
            stage.name: rows.found_in(stage, self._result(stage, rows.given_to(stage)))
            for stage in self.stages
        }

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """What the stages count is its own; it is forgotten if one raises, since the batch may come again."""
        context = self._context
        reduced = {} if context is None else dict(context.reduced)
        try:
            yield
        except BaseException:
            for stage in self.stages:
                stage.take_counts()
            if context is not None:
                context.reduced = reduced
            raise
        for stage in self.stages:
            for name, n in stage.take_counts().items():
                self.count(name, n)

    def _result(self, stage: Stage, batch: DocumentBatch) -> DocumentBatch | None:
        with calling(stage, f"in {self.name!r} raised"):
            alone = type(stage).process_batch is ProcessingStage.process_batch
            made: Any = stage.process(batch) if alone else stage.process_batch([batch])
            several = list(made) if isinstance(made, Iterable) else [made]
        tasks = [task for task in several if task is not None]
        for task in tasks:
            if not isinstance(task, DocumentBatch):
                raise _too_many(stage, f"a {type(task).__name__}")
        if len(tasks) > 1:
            raise _too_many(stage, f"{len(tasks)} batches of one")
        return tasks[0] if tasks else None

    def _note_dropped(self, made: dict[str, Found], rows: int) -> None:
        """Each row counts for the first that drops it."""
        dropped = self._dropped or Counter[str]()
        left = np.ones(rows, np.bool_)
        for name, found in made.items():
            if gone := int(np.count_nonzero(left & ~found.kept)):
                dropped[name] += gone
            left &= found.kept
        self._dropped = dropped


def _merged(batch: DocumentBatch, made: dict[str, Found]) -> DocumentBatch:
    kept: Mask = np.logical_and.reduce([found.kept for found in made.values()])
    merged = batch if kept.all() else batch.select(kept)
    makers: dict[str, str] = {}
    for stage, found in made.items():
        if found.columns is None:
            continue
        for name in frame.column_names(found.columns):
            if makers.setdefault(name, stage) != stage:
                raise of.one_column(name, makers[name], stage)
        still = kept[found.kept]
        merged = merged.assign_of(found.columns if still.all() else frame.take_mask(found.columns, still))
    return merged


def _too_many(stage: Stage, what: str) -> StageError:
    return StageError(
        f"stage {stage.name!r} gave {what}: of stages side by side, each makes one batch of each or none; "
        "put it before or after them",
        stage.name,
    )
