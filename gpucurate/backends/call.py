"""One call of a stage: timed, counted, and what it raises or returns made sense of."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias

from gpucurate.frame.transfers import counted_for
from gpucurate.memory.resident import resident_bytes
from gpucurate.spec.errors import GpucurateError, StageError
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.told import told
from gpucurate.tasks.task import Task

Stage = ProcessingStage[Any, Any]
AnyTask = Task[Any]
Call: TypeAlias = Callable[[list[AnyTask]], Any]
"""Calls a stage with the tasks of a list, which it empties."""

Box: TypeAlias = list[AnyTask]
"""One task, or none where it was dropped. Who takes the task out leaves no reference behind in
the frames of suspended generators, so that a batch is freed before the next one is read."""

_OVER = object()
_UNCOUNTED: AbstractContextManager[None] = nullcontext()


def call_of(stage: Stage) -> tuple[Call, bool]:
    """How to call a stage, and whether it is given tasks one by one."""
    if type(stage).process_batch is ProcessingStage.process_batch:
        return lambda held: stage.process(held.pop()), True
    return lambda held: stage.process_batch(_emptied(held)), False


def _emptied(held: list[AnyTask]) -> list[AnyTask]:
    tasks = held[:]
    held.clear()
    return tasks


def results(stage: Stage, call: Call, given: list[AnyTask], stats: StagePerfStats) -> Iterator[Box]:
    """What a call of the stage makes, timed; an empty box for each None among it.

    Raises:
        StageError: what the stage raised, or that it returned something else than tasks.
    """
    made = _timed(stage, stats, call, given)
    if isinstance(made, Task):
        box = [made]
        del made
        yield box
    elif made is not None:
        stream = _timed(stage, stats, iter, _several(stage, made))
        del made
        yield from _boxes(stage, stream, stats)


def _boxes(stage: Stage, stream: Iterator[Any], stats: StagePerfStats) -> Iterator[Box]:
    while (made := _timed(stage, stats, next, stream, _OVER)) is not _OVER:
        if made is not None and not isinstance(made, Task):
            raise _not_a_task(stage, made)
        box = [] if made is None else [made]
        del made
        yield box


def _several(stage: Stage, made: Any) -> Iterable[Any]:
    if isinstance(made, list | tuple):
        return _handed_over(deque(made))
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


def _timed(stage: Stage, stats: StagePerfStats, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call the stage's own code; what it raises becomes an error that names the stage.

    The message is the traceback, and its last line a sentence of its own.
    """
    began = time.perf_counter()
    before = resident_bytes() if stage._is_watched else 0
    try:
        with counted_for(stats), _UNCOUNTED if stage._gpu_memory is None else _pool_counted(stage, stats):
            return call(*arguments)
    except (GpucurateError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise StageError(told(stage, error, "raised"), stage.name) from error
    finally:
        stats.process_time += time.perf_counter() - began
        if stage._is_watched:
            stats.host_growth_bytes += resident_bytes() - before


@contextmanager
def _pool_counted(stage: Stage, stats: StagePerfStats) -> Iterator[None]:
    """Note the most that the GPU's pool held meanwhile, and what it held at the end."""
    with stage.gpu_memory.counting(stats.stage_name) as held:
        yield
    stats.gpu_peak_bytes = max(stats.gpu_peak_bytes, held.peak)
    stats.gpu_held_bytes = held.current
