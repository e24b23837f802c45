"""What is left of a batch when its documents stay where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from gpucurate.tasks.task import Task


@dataclass
class TaskDescriptor(Task[None]):
    """Size and columns of a task whose data was not collected.

    Args:
        items: documents or files in it.
        columns: names of its columns.
        bytes: size of its payload.
    """

    items: int = 0
    columns: tuple[str, ...] = ()
    bytes: int = 0

    @property
    def num_items(self) -> int:
        """Documents or files in the task that this describes."""
        return self.items

    @property
    def nbytes(self) -> int:
        """Bytes of the payload of the task that this describes."""
        return self.bytes

    def get_columns(self) -> list[str]:
        """Columns of the task that this describes."""
        return list(self.columns)

    @classmethod
    def of(cls, task: Task[Any]) -> Self:
        """The descriptor of ``task``."""
        return cls(
            task.dataset_name,
            None,
            task.task_id,
            task._stage_perf,
            task._metadata,
            task._origin,
            items=task.num_items,
            columns=tuple(task.get_columns()),
            bytes=task.nbytes,
        )
