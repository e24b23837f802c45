"""Stages in sequence over a stream of tasks; the one place that calls user code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from gpucurate.backends.call import AnyTask, Box, Call, Stage, call_of, results
from gpucurate.backends.made import Flow, Lineage, Made
from gpucurate.backends.recovery import Recovery
from gpucurate.backends.recut import cut
from gpucurate.frame.transfers import counted_for, depart
from gpucurate.spec.books import Books
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError, StageError
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.stages.base import ProcessingStage, SourceStage, StageIO
from gpucurate.stages.specification import is_users
from gpucurate.tasks.document import DocumentBatch

__all__ = ["Chain", "Stage"]


class Chain:
    """The stages of a segment, run as one stream: a task is pulled through before the next is read.

    Args:
        stages: in order, already set up.
        devices: where each runs: batches are moved there, once, where the device changes. None moves none.
        recovery: what is done where memory runs out or a stage raises; None lets it come through.
        cap: bytes above which batches that a source makes are cut; None cuts none.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        devices: Sequence[Device] | None = None,
        recovery: Recovery | None = None,
        cap: int | None = None,
    ) -> None:
        self.stages = stages
        self._devices: Sequence[Device | None] = devices or [None] * len(stages)
        self._recovery = recovery
        self._cap = cap
        self._flows: list[Flow] = []

    def run(self, tasks: Iterable[AnyTask]) -> Iterator[AnyTask]:
        """The tasks that leave the last stage; ``tasks`` may be consumed lazily, one group at a time.

        Raises:
            StageError: a stage broke its contract.
            ConfigurationError: a column that a stage needs is not there.
        """
        self._flows = [Flow(StagePerfStats(stage.name)) for stage in self.stages]
        stream: Iterator[AnyTask] = iter(tasks)
        for position, stage in enumerate(self.stages):
            stream = self._through(position, stream)
            if self._cap is not None and isinstance(stage, SourceStage):
                stream = cut(stream, self._cap)
        return stream

    def on_host(self, task: AnyTask) -> AnyTask:
        """A task that leaves the last stage, on the host; the stage is charged with the transfer."""
        if not isinstance(task, DocumentBatch) or task.device == "cpu":
            return task
        with counted_for(self._flows[-1].stats):
            return task.moved_to("cpu")

    def statistics(self) -> list[StagePerfStats]:
        """Figures of each stage over the tasks run, with what the stage counted. Call once."""
        for stage, flow in zip(self.stages, self._flows, strict=True):
            if stage._counters:
                flow.stats.custom_metrics.update(stage.take_counts())
        return [flow.stats for flow in self._flows]

    def settle(self, books: Books, *, tallied: bool, is_first: bool = True, is_last: bool = True) -> None:
        """Enter what stages dropped, added and consumed into the books of the unit.

        Books of the segments that a unit goes through add up: what one hands on is in no column.

        Args:
            books: of the unit.
            tallied: whether the reader noted what it read, rejects included.
            is_first: whether tasks came from the input, and not from another segment.
            is_last: whether what left the last stage is kept, and not handed on.
        """
        if is_first:
            books.read += self._flows[0].documents_in  # batches that the caller made
        for stage, flow in zip(self.stages, self._flows, strict=True):
            change = flow.documents_out - flow.documents_in + flow.rejected
            dropped = stage.take_dropped()
            if flow.documents_in == 0:
                noted = tallied and isinstance(stage, SourceStage)
                books.read += 0 if noted else flow.documents_out
            elif flow.documents_out == 0 and flow.others_out:
                books.kept += flow.documents_in - flow.rejected
            else:
                _enter(books, stage.name, change + dropped.total())
                books.dropped.update(dropped)
        if is_last:
            books.kept += self._flows[-1].documents_out

    def _through(self, position: int, tasks: Iterator[AnyTask]) -> Iterator[AnyTask]:
        stage, flow = self.stages[position], self._flows[position]
        call, one_by_one = call_of(stage)
        needs = stage.inputs()
        attempt = partial(_attempt, stage, self._devices[position], flow, call)
        recovery = self._recovery if self._recovery and self._recovery.helps(stage) else None
        while group := list(islice(tasks, stage.batch_size)):
            if needs[1]:
                yield from _take_idle(needs[1], group)
            _note_input(stage, needs, flow, group)
            while group:
                given, group[:] = (group[:1], group[1:]) if one_by_one else (group[:], [])
                if recovery is not None and all(isinstance(task, DocumentBatch) for task in given):
                    yield from _emitted(flow, recovery.run(position, stage, flow, given, attempt))
                else:
                    yield from _emitted(flow, attempt(given))
        if type(stage).flush is not ProcessingStage.flush:
            yield from _emitted(flow, _attempt(stage, None, flow, lambda _: stage.flush(), []))


def _enter(books: Books, stage: str, change: int) -> None:
    """Enter the documents that a stage made, or dropped without a word on why."""
    if change < 0:
        books.dropped[stage] -= change
    elif change > 0:
        books.added[stage] += change


def _emitted(flow: Flow, made: Iterator[Made]) -> Iterator[AnyTask]:
    """The tasks, counted and with their history."""
    for box, parent, stats in made:
        if box:
            flow.note_output(box[0], parent, stats)
            yield box.pop()


def _attempt(
    stage: Stage, device: Device | None, flow: Flow, call: Call, given: list[AnyTask]
) -> Iterator[Made]:
    """What one call of the stage makes, with what it is made of; ``given`` is emptied."""
    parents = [Lineage(task._origin, task._stage_perf) for task in given]
    if device is not None and not stage.follows_device:
        with counted_for(flow.stats):
            _move(stage, device, given)
    stats = StagePerfStats(stage.name, invocations=1 if parents else 0)
    boxes = results(stage, call, given, stats)
    try:
        if len(parents) > 1:
            yield from ((box, parent, stats) for box, parent in _pair(stage, list(boxes), parents))
        else:
            parent = parents[0] if parents else None
            for box in boxes:
                yield box, parent, stats
    finally:
        flow.stats.add_work(stats)
        flow.stats.gpu_held_bytes = stats.gpu_held_bytes


def _move(stage: Stage, device: Device, given: list[AnyTask]) -> None:
    """Bring tasks to the device of a stage, for user stages as the frame that is written against there."""
    as_frame = is_users(stage)
    for i in range(len(given)):  # in place, so that a batch that was moved is not held on both sides
        task = given[i]
        if isinstance(task, DocumentBatch):
            if task.device == "cuda" and device == "cpu":
                depart(f"stage {stage.name} runs on the CPU", task.num_items)
            given[i] = task.moved_to(device, as_frame=as_frame)
        del task


def _take_idle(needed: list[str], group: list[AnyTask]) -> list[AnyTask]:
    """Take batches out that have neither documents nor the columns needed: there is nothing to do.

    A piece of a file in which nothing could be read has no columns.
    """
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


def _note_input(stage: Stage, needs: StageIO, flow: Flow, group: list[AnyTask]) -> None:
    for task in group:
        _check_input(stage, needs, task)
        flow.note_input(task)


def _pair(stage: Stage, boxes: list[Box], parents: list[Lineage]) -> Iterable[tuple[Box, Lineage]]:
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


def _check_input(stage: Stage, needs: StageIO, task: AnyTask) -> None:
    attributes, columns = needs
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
