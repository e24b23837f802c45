"""Stages in sequence over a stream of tasks; the one place that calls user code."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gpucurate.spec.books import Books
from gpucurate.spec.errors import ConfigurationError, StageError
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.stages.base import ProcessingStage, SourceStage
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.task import Task

Stage = ProcessingStage[Any, Any]
AnyTask = Task[Any]


@dataclass(slots=True)
class _Flow:
    """Documents and other tasks that went into and came out of a stage during one unit."""

    stats: StagePerfStats
    documents_in: int = 0
    documents_out: int = 0
    others_out: int = 0
    holds: list[AnyTask] = field(default_factory=list)


class Chain:
    """The stages of a segment, run as one stream: a task is pulled through before the next is read.

    Args:
        stages: in order, already set up.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = list(stages)
        self._flows: list[_Flow] = []

    def run(self, tasks: Iterable[AnyTask]) -> Iterator[AnyTask]:
        """The tasks that leave the last stage.

        Raises:
            StageError: a stage broke its contract.
            ConfigurationError: a column that a stage needs is not there.
        """
        self._flows = [_Flow(StagePerfStats(stage.name)) for stage in self.stages]
        stream: Iterator[AnyTask] = iter(tasks)
        for stage, flow in zip(self.stages, self._flows, strict=True):
            stream = self._through(stage, flow, stream)
        return stream

    def statistics(self) -> list[StagePerfStats]:
        """Figures of each stage over the tasks run, with what the stage counted. Call once."""
        for stage, flow in zip(self.stages, self._flows, strict=True):
            flow.stats.custom_metrics.update(stage.take_counts())
        return [flow.stats for flow in self._flows]

    def settle(self, books: Books) -> None:
        """Enter what stages dropped, added and consumed into the books of the unit."""
        for stage, flow in zip(self.stages, self._flows, strict=True):
            change = flow.documents_out - flow.documents_in
            if flow.documents_in == 0:
                # Readers of gpucurate's own note what they read, rejects included.
                books.read += 0 if isinstance(stage, SourceStage) else flow.documents_out
            elif flow.documents_out == 0 and flow.others_out:
                books.kept += flow.documents_in
            elif change < 0:
                books.dropped[stage.name] -= change
            elif change > 0:
                books.added[stage.name] += change
        if self._flows:
            books.kept += self._flows[-1].documents_out

    def _through(self, stage: Stage, flow: _Flow, tasks: Iterator[AnyTask]) -> Iterator[AnyTask]:
        while group := list(islice(tasks, stage.batch_size)):
            for task in group:
                _check_input(stage, task)
                flow.stats.num_items_processed += task.num_items
                flow.stats.input_data_size_mb += task.nbytes / 1e6
                flow.documents_in += task.num_items if isinstance(task, DocumentBatch) else 0
            yield from self._call(stage, flow, group)
        yield from self._watch(stage, flow, stage.flush(), [])

    def _call(self, stage: Stage, flow: _Flow, group: list[AnyTask]) -> Iterator[AnyTask]:
        if type(stage).process_batch is ProcessingStage.process_batch:
            for task in group:
                yield from self._watch(stage, flow, stage.process_batch([task]), [task])
        else:
            yield from self._watch(stage, flow, stage.process_batch(group), group)

    def _watch(
        self, stage: Stage, flow: _Flow, made: Iterable[AnyTask] | None, parents: list[AnyTask]
    ) -> Iterator[AnyTask]:
        call = StagePerfStats(stage.name, invocations=1 if parents else 0)
        results = _timed(stage, made, call)
        if len(parents) > 1:
            pairs = _pair(stage, list(results), parents)
        else:
            pairs = ((task, parents[0] if parents else None) for task in results)
        for task, parent in pairs:
            _inherit(task, parent)
            call.num_items_out = task.num_items
            task._stage_perf = [*task._stage_perf, call]
            flow.stats.num_items_out += task.num_items
            if isinstance(task, DocumentBatch):
                flow.documents_out += task.num_items
            else:
                flow.others_out += 1
            yield task
        flow.stats.process_time += call.process_time
        flow.stats.invocations += call.invocations


def _timed(stage: Stage, made: Iterable[AnyTask] | None, call: StagePerfStats) -> Iterator[AnyTask]:
    """The tasks of one call, with the time that the stage's own code took for each."""
    if made is None:
        return
    if isinstance(made, Task):
        made = [made]
    stream = iter(made)
    while True:
        began = time.perf_counter()
        task = next(stream, None)
        call.process_time += time.perf_counter() - began
        if task is None:
            return
        if not isinstance(task, Task):
            raise StageError(
                f"stage {stage.name!r} returned {type(task).__name__}, which is not a task: "
                "return a task, a list of tasks, or None",
                stage.name,
            )
        yield task


def _pair(
    stage: Stage, results: list[AnyTask], parents: list[AnyTask]
) -> Iterable[tuple[AnyTask, AnyTask | None]]:
    if len(results) == len(parents):
        return zip(results, parents, strict=True)
    origins = {id(parent._origin): parent for parent in parents}
    if len(origins) == 1 or all(task._origin is not None for task in results):
        return ((task, parents[0]) for task in results)
    raise StageError(
        f"stage {stage.name!r} made {len(results)} tasks of {len(parents)} that come from different files, "
        "so their rows cannot be told apart: return one task for each, or use select() and assign()",
        stage.name,
    )


def _inherit(task: AnyTask, parent: AnyTask | None) -> None:
    """A task made from scratch takes over where its parent came from and what happened to it."""
    if parent is None:
        return
    if task._origin is None:
        task._origin = parent._origin
    if not task._stage_perf:
        task._stage_perf = parent._stage_perf


def _check_input(stage: Stage, task: AnyTask) -> None:
    attributes, columns = stage.inputs()
    absent = [name for name in attributes if not hasattr(task, name)]
    if absent:
        raise ConfigurationError(
            f"stage {stage.name!r} needs {absent} of a task, and {type(task).__name__} has none"
        )
    if columns:
        there = task.get_columns()
        missing = [column for column in columns if column not in there]
        if missing:
            raise ConfigurationError(
                f"stage {stage.name!r} needs column {', '.join(map(repr, missing))}; "
                f"the batch has: {', '.join(there) or 'none'}"
            )
