"""What goes into a stage and comes out of it, with its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gpucurate.backends.call import AnyTask, Box
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.origin import Origin


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a task hands down to those that are made of it."""

    origin: Origin | None
    stage_perf: list[StagePerfStats]

    @property
    def range(self) -> object:
        """The file range it came from."""
        return None if self.origin is None else (self.origin.name, self.origin.ordinal)


Made: TypeAlias = tuple[Box, Lineage | None, StagePerfStats]
"""A task, what it was made of, and the figures of the call that made it."""


@dataclass(slots=True)
class Flow:
    """Documents and other tasks that went into and came out of a stage during one unit.

    Attributes:
        stats: of the stage.
        rejected: documents that it was given and could not do.
    """

    stats: StagePerfStats
    documents_in: int = 0
    documents_out: int = 0
    others_out: int = 0
    rejected: int = 0

    def note_input(self, task: AnyTask) -> None:
        """Count a task in."""
        items = task.num_items
        self.stats.num_items_processed += items
        self.stats.input_data_size_mb += task.nbytes / 1e6
        self.documents_in += items if isinstance(task, DocumentBatch) else 0

    def note_output(self, task: AnyTask, parent: Lineage | None, stats: StagePerfStats) -> None:
        """Count a task out, and give it the history of what it was made of."""
        if parent is not None:
            if task._origin is None:
                task._origin = parent.origin
            if not task._stage_perf:
                task._stage_perf = parent.stage_perf
        items = stats.num_items_out = task.num_items
        task._stage_perf = [*task._stage_perf, stats]
        self.stats.num_items_out += items
        if isinstance(task, DocumentBatch):
            self.documents_out += items
        else:
            self.others_out += 1
