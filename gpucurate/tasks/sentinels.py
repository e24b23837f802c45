"""Tasks without data."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.tasks.task import Task


@dataclass
class EmptyTask(Task[None]):
    """What enters a first stage that makes its own data."""

    dataset_name: str = "empty"
    data: None = None

    @property
    def num_items(self) -> int:
        """Always 0."""
        return 0
