"""What a run gives back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

from gpucurate.tasks.task import Task
from gpucurate.telemetry.report import RunReport


class RunResult(Sequence[Task[Any]]):
    """The final tasks of a run, in order of the input, and its report.

    Unless the run was told to collect, tasks are light: names of the files that were
    written, or sizes of the batches that left the last stage; never the documents.

    Attributes:
        report: what the run did.
    """

    def __init__(self, tasks: Sequence[Task[Any]], report: RunReport) -> None:
        self._tasks = list(tasks)
        self.report = report

    def describe(self) -> str:
        """What the run did and what was decided on the way, with the reasons, as text."""
        return self.report.describe()

    def __len__(self) -> int:
        return len(self._tasks)

    @overload
    def __getitem__(self, at: int) -> Task[Any]: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Task[Any]]: ...

    def __getitem__(self, at: int | slice) -> Task[Any] | Sequence[Task[Any]]:
        return self._tasks[at]

    def __iter__(self) -> Iterator[Task[Any]]:
        return iter(self._tasks)

    def __repr__(self) -> str:
        books = self.report.books
        kept = f"{books.kept:,} of {books.read:,} documents"
        return f"<RunResult of {self.report.name!r}: {len(self)} tasks, {kept}>"
