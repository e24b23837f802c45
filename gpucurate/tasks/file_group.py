"""A task that names files rather than holding documents."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.spec.source import FileRange
from gpucurate.tasks.task import Task


@dataclass
class FileGroupTask(Task[list[str]]):
    """Files to read, or files that were written.

    Args:
        data: paths.
        ranges: the parts of them to read; empty means all of each.
    """

    ranges: tuple[FileRange, ...] = ()

    @property
    def num_items(self) -> int:
        """Number of files."""
        return len(self.data)

    def validate(self) -> bool:
        """Whether there is at least one path, and all are strings."""
        return bool(self.data) and all(isinstance(path, str) for path in self.data)
