"""Where the documents of a batch stand in their unit of work."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch


def unit_records(task: DocumentBatch, context: UnitContext) -> npt.NDArray[np.int64]:
    """Record of each row of a batch, counted from the start of the unit: int64[n].

    Raises:
        ValueError: the batch was not made by a reader.
    """
    if task.records is None or task._origin is None or task._origin.source is None:
        raise ValueError(
            f"batch {task.task_id!r} was not made by a reader: its documents have no place in a file"
        )
    return task.records + context.records_before(task._origin.source)
