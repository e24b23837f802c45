"""Stages in sequence over a stream of tasks; the one place that calls user code."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from gpucurate.frame.transfers import counted_for, depart
from gpucurate.spec.books import Books
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError, GpucurateError, StageError
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.stages.base import ProcessingStage, SourceStage
from gpucurate.stages.specification import is_users
from gpucurate.stages.told import told
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.origin import Origin
from gpucurate.tasks.task import Task

Stage = ProcessingStage[Any, Any]
AnyTask = Task[Any]
Call: TypeAlias = Callable[[list[AnyTask]], Any]
Box: TypeAlias = list[AnyTask]
"""One task, or none where it was dropped. Who takes the task out leaves no reference behind in
the frames of suspended generators, so that a batch is freed before the next one is read."""


@dataclass(slots=True)
class _Flow:
    """Documents and other tasks that went into and came out of a stage during one unit."""

    stats: StagePerfStats
    documents_in: int = 0
    documents_out: int = 0
    others_out: int = 0


@dataclass(frozen=True, slots=True)
class _Lineage:
    """What a task hands down to those that are made of it."""

    origin: Origin | None
    stage_perf: list[StagePerfStats]

    @property
    def range(self) -> object:
        """The file range it came from."""
        return None if self.origin is None else (self.origin.name, self.origin.ordinal)


class Chain:
    """The stages of a segment, run as one stream: a task is pulled through before the next is read.

    Args:
        stages: in order, already set up.
        devices: where each runs: batches are moved there, once, where the device changes. None moves none.
    """

    def __init__(self, stages: Sequence[Stage], devices: Sequence[Device] | None = None) -> None:
        self.stages = list(stages)
        self._devices = [None] * len(self.stages) if devices is None else list(devices)
        self._flows: list[_Flow] = []

    def run(self, tasks: Iterable[AnyTask]) -> Iterator[AnyTask]:
        """The tasks that leave the last stage; ``tasks`` may be consumed lazily, one group at a time.

        Raises:
            StageError: a stage broke its contract.
            ConfigurationError: a column that a stage needs is not there.
        """
        self._flows = [_Flow(StagePerfStats(stage.name)) for stage in self.stages]
        stream: Iterator[AnyTask] = iter(tasks)
        for stage, flow, device in zip(self.stages, self._flows, self._devices, strict=True):
            placed = stream if device is None else _placed(stage, device, flow, stream)
            stream = self._through(stage, flow, placed)
        return stream

    def statistics(self) -> list[StagePerfStats]:
        """Figures of each stage over the tasks run, with what the stage counted. Call once."""
        for stage, flow in zip(self.stages, self._flows, strict=True):
            flow.stats.custom_metrics.update(stage.take_counts())
        return [flow.stats for flow in self._flows]

    def settle(self, books: Books, *, tallied: bool) -> None:
        """Enter what stages dropped, added and consumed into the books of the unit.

        Args:
            books: of the unit.
            tallied: whether the reader noted what it read, rejects included.
        """
        if self._flows:
            books.read += self._flows[0].documents_in  # batches that the caller made
        for stage, flow in zip(self.stages, self._flows, strict=True):
            change = flow.documents_out - flow.documents_in
            told_why = stage.take_dropped()
            if flow.documents_in == 0:
                noted = tallied and isinstance(stage, SourceStage)
                books.read += 0 if noted else flow.documents_out
            elif flow.documents_out == 0 and flow.others_out:
                books.kept += flow.documents_in
            else:
                _enter(books, stage.name, change + told_why.total())
                books.dropped.update(told_why)
        if self._flows:
            books.kept += self._flows[-1].documents_out

    def _through(self, stage: Stage, flow: _Flow, tasks: Iterator[AnyTask]) -> Iterator[AnyTask]:
        one_by_one = type(stage).process_batch is ProcessingStage.process_batch
        while group := list(islice(tasks, stage.batch_size)):
            yield from _take_idle(stage, group)
            _note_input(stage, flow, group)
            while group:
                given, group[:] = (group[:1], group[1:]) if one_by_one else (group[:], [])
                call: Call = (lambda held: stage.process(held.pop())) if one_by_one else _emptying(stage)
                yield from _watch(stage, flow, call, given)
        yield from _watch(stage, flow, lambda _: stage.flush(), [])


def _enter(books: Books, stage: str, change: int) -> None:
    """Enter the documents that a stage made, or dropped without a word on why."""
    if change < 0:
        books.dropped[stage] -= change
    elif change > 0:
        books.added[stage] += change


def _placed(stage: Stage, device: Device, flow: _Flow, tasks: Iterator[AnyTask]) -> Iterator[AnyTask]:
    """Tasks on the device of the stage, of user stages as the frame that is written against there."""
    as_frame = is_users(stage)
    for task in tasks:
        box: Box = [task]
        del task
        if isinstance(box[0], DocumentBatch) and not stage.follows_device:
            with counted_for(flow.stats):
                if box[0].device == "cuda" and device == "cpu":
                    depart(f"stage {stage.name} runs on the CPU", box[0].num_items)
                box[0] = box[0].moved_to(device, as_frame=as_frame)
        yield box.pop()


def _emptying(stage: Stage) -> Call:
    def call(given: list[AnyTask]) -> Any:
        tasks = given[:]
        given.clear()
        return stage.process_batch(tasks)

    return call


def _take_idle(stage: Stage, group: list[AnyTask]) -> list[AnyTask]:
    """Take batches out that have neither documents nor the columns needed: there is nothing to do.

    A piece of a file in which nothing could be read has no columns.
    """
    needed = stage.inputs()[1]
    idle = [
        isinstance(task, DocumentBatch)
        and not task.num_items
        and any(column not in task.get_columns() for column in needed)
        for task in group
    ]
    if not any(idle):
        return []
    taken = [task for task, is_idle in zip(group, idle, strict=True) if is_idle]
    group[:] = [task for task, is_idle in zip(group, idle, strict=True) if not is_idle]
    return taken


def _note_input(stage: Stage, flow: _Flow, group: list[AnyTask]) -> None:
    for task in group:
        _check_input(stage, task)
        flow.stats.num_items_processed += task.num_items
        flow.stats.input_data_size_mb += task.nbytes / 1e6
        flow.documents_in += task.num_items if isinstance(task, DocumentBatch) else 0


def _watch(stage: Stage, flow: _Flow, call: Call, given: list[AnyTask]) -> Iterator[AnyTask]:
    """The tasks of one call of the stage, counted and with their history; ``given`` is emptied."""
    parents = [_Lineage(task._origin, task._stage_perf) for task in given]
    stats = StagePerfStats(stage.name, invocations=1 if parents else 0)
    boxes = _results(stage, call, given, stats)
    pairs: Iterable[tuple[Box, _Lineage | None]]
    if len(parents) > 1:
        pairs = _pair(stage, list(boxes), parents)
    else:
        pairs = ((box, parents[0] if parents else None) for box in boxes)
    for box, parent in pairs:
        if box:
            _note_output(flow, stats, box[0], parent)
            yield box.pop()
    flow.stats.add_work(stats)
    flow.stats.gpu_held_bytes = stats.gpu_held_bytes


def _note_output(flow: _Flow, stats: StagePerfStats, task: AnyTask, parent: _Lineage | None) -> None:
    if parent is not None:
        if task._origin is None:
            task._origin = parent.origin
        if not task._stage_perf:
            task._stage_perf = parent.stage_perf
    stats.num_items_out = task.num_items
    task._stage_perf = [*task._stage_perf, stats]
    flow.stats.num_items_out += task.num_items
    if isinstance(task, DocumentBatch):
        flow.documents_out += task.num_items
    else:
        flow.others_out += 1


def _results(stage: Stage, call: Call, given: list[AnyTask], stats: StagePerfStats) -> Iterator[Box]:
    """What a call of the stage makes, timed; an empty box for each None among it."""
    stream = _timed(stage, lambda: iter(_several(stage, call(given))), stats)
    over = object()
    while True:
        made = _timed(stage, lambda: next(stream, over), stats)
        if made is over:
            return
        if made is not None and not isinstance(made, Task):
            raise _not_a_task(stage, made)
        box = [] if made is None else [made]
        del made
        yield box


def _several(stage: Stage, made: Any) -> Iterable[Any]:
    if made is None:
        return ()
    if isinstance(made, Task | list | tuple):
        return _handed_over(deque([made] if isinstance(made, Task) else made))
    if isinstance(made, str | bytes | dict) or not isinstance(made, Iterable) or hasattr(made, "columns"):
        raise _not_a_task(stage, made)
    return made


def _handed_over(tasks: deque[Any]) -> Iterator[Any]:
    while tasks:
        yield tasks.popleft()


def _not_a_task(stage: Stage, made: Any) -> StageError:
    return StageError(
        f"stage {stage.name!r} returned {type(made).__name__}, which is not a task: "
        "return a task, a list of tasks, or None",
        stage.name,
    )


def _timed(stage: Stage, call: Callable[[], Any], stats: StagePerfStats) -> Any:
    """Call the stage's own code; what it raises becomes an error that names the stage.

    The message is the traceback, and its last line a sentence of its own.
    """
    began = time.perf_counter()
    try:
        with counted_for(stats), _pool_counted(stage, stats):
            return call()
    except (GpucurateError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise StageError(told(stage, error, "raised"), stage.name) from error
    finally:
        stats.process_time += time.perf_counter() - began


@contextmanager
def _pool_counted(stage: Stage, stats: StagePerfStats) -> Iterator[None]:
    """Note the most that the GPU's pool held meanwhile, and what it held at the end."""
    memory = stage._gpu_memory
    if memory is None:
        yield
        return
    with memory.counting(stats.stage_name) as held:
        yield
    stats.gpu_peak_bytes = max(stats.gpu_peak_bytes, held.peak)
    stats.gpu_held_bytes = held.current


def _pair(stage: Stage, boxes: list[Box], parents: list[_Lineage]) -> Iterable[tuple[Box, _Lineage | None]]:
    if len(boxes) == len(parents):
        return zip(boxes, parents, strict=True)
    one_range = len({parent.range for parent in parents}) == 1
    if one_range or all(not box or box[0]._origin is not None for box in boxes):
        return ((box, parents[0]) for box in boxes)
    raise StageError(
        f"stage {stage.name!r} made {len(boxes)} tasks of {len(parents)} that come from different files, "
        "so their rows cannot be told apart: return one task for each, or use select() and assign()",
        stage.name,
    )


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
