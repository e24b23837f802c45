"""A stage from a plain function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gpucurate.spec.resources import Resources
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.tasks.task import Task

Process = Callable[[Any], Any]


class FunctionStage(ProcessingStage[Task[Any], Task[Any]]):
    """Calls a function for each task.

    Args:
        function: from a task to a task, several, or None.
        columns: columns the function needs.
        makes: columns it adds.
    """

    def __init__(self, function: Process, columns: Iterable[str] = (), makes: Iterable[str] = ()) -> None:
        self.function = function
        self.columns = list(columns)
        self.makes = list(makes)
        self.name = getattr(function, "__name__", "function")

    def inputs(self) -> StageIO:
        """The columns it was declared to need."""
        return [], self.columns

    def outputs(self) -> StageIO:
        """The columns it was declared to make."""
        return [], self.makes

    def process(self, task: Task[Any]) -> Any:
        """Whatever the function makes of the task."""
        return self.function(task)


def processing_stage(
    *,
    name: str = "",
    resources: Resources | None = None,
    batch_size: int = 1,
    inputs: Iterable[str] = (),
    outputs: Iterable[str] = (),
    splittable: bool = True,
) -> Callable[[Process], FunctionStage]:
    """Turn a function from task to task into a stage.

    Args:
        name: of the stage; the function's if not given.
        resources: of one worker.
        batch_size: tasks handed over at a time.
        inputs: columns the function needs, checked when the pipeline is built.
        outputs: columns it adds.
        splittable: whether what it makes does not depend on how rows are divided into batches.

    >>> @processing_stage(name="lengths", inputs=["text"], outputs=["length"])
    ... def lengths(batch):
    ...     return batch.assign({"length": batch.to_pandas()["text"].str.len()})
    """

    def decorate(function: Process) -> FunctionStage:
        stage = FunctionStage(function, inputs, outputs)
        stage.splittable = splittable
        return stage.with_(name=name or None, resources=resources, batch_size=batch_size)

    return decorate
