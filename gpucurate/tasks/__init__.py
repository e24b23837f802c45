"""What flows between stages."""

from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.sentinels import EmptyTask
from gpucurate.tasks.task import Task

__all__ = ["DocumentBatch", "EmptyTask", "FileGroupTask", "Task"]
