"""Batches of another size, of the same rows in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.backends.call import AnyTask
from gpucurate.frame.row_bytes import row_bytes
from gpucurate.frame.table import schema_of
from gpucurate.tasks.document import DocumentBatch


def recut(tasks: Iterator[AnyTask], batch_bytes: int | None, cap: int | None) -> Iterator[AnyTask]:
    """Tasks as a segment wants them: small batches joined, large ones cut.

    Args:
        tasks: in order.
        batch_bytes: neighbours of one file range are joined up to this size; None joins none.
        cap: batches above this size are cut, as those above ``batch_bytes``.
    """
    limits = [limit for limit in (batch_bytes, cap) if limit is not None]
    if not limits:
        return tasks
    most = min(limits)
    return cut(tasks if batch_bytes is None else join(tasks, most), most)


def join(tasks: Iterator[AnyTask], limit: int) -> Iterator[AnyTask]:
    """Join neighbours that come from one file range, up to ``limit`` bytes together."""
    waiting: list[Any] = []
    held = 0
    for task in tasks:
        box = [task]
        del task
        if waiting and (held + box[0].nbytes > limit or not _alike(waiting[-1], box[0])):
            yield _joined(waiting)
        held = box[0].nbytes + (held if waiting else 0)
        waiting.append(box.pop())
    if waiting:
        yield _joined(waiting)


def _joined(waiting: list[Any]) -> AnyTask:
    """The tasks of a list as one; the list is emptied, so that no frame holds it."""
    first, others = waiting[0], waiting[1:]
    waiting.clear()
    joined: AnyTask = first.joined(others) if others else first
    return joined


def _alike(one: AnyTask, other: AnyTask) -> bool:
    """Whether two batches could have been one."""
    return (
        isinstance(one, DocumentBatch)
        and isinstance(other, DocumentBatch)
        and type(one) is type(other)
        and one._origin is not None
        and _range(one) == _range(other)
        and one._metadata == other._metadata
        and one._changed == other._changed
        and type(one._original) is type(other._original)
        and (one.records is None) == (other.records is None)
        and schema_of(one.data) == schema_of(other.data)
    )


def _range(task: AnyTask) -> Any:
    origin = task._origin
    assert origin is not None
    return task.dataset_name, origin.name, origin.ordinal, origin.count, origin.source


def cut(tasks: Iterator[AnyTask], cap: int) -> Iterator[AnyTask]:
    """Cut batches above ``cap`` bytes into even parts; a document that is larger goes alone."""
    for task in tasks:
        box: list[Any] = [task]
        del task
        if isinstance(box[0], DocumentBatch) and box[0].num_items > 1 and box[0].nbytes > cap:
            yield from _parts(box.pop(), cap)
        else:
            yield box.pop()


def _parts(batch: DocumentBatch, cap: int) -> Iterator[DocumentBatch]:
    ends = np.cumsum(_sizes(batch))
    first = 0
    while first < len(ends):
        stop = _next_cut(ends, first, cap)
        yield batch.rows(first, stop)
        first = stop


def _sizes(batch: DocumentBatch) -> npt.NDArray[np.float64]:
    """Bytes of each row, with those of the record behind it."""
    sizes = row_bytes(batch.data)
    if batch._original is not None:
        sizes = sizes + batch._original.sizes()
    return sizes


def _next_cut(ends: npt.NDArray[np.float64], first: int, cap: int) -> int:
    """End of the part that begins at ``first``: of as few parts as will do, as even as can be."""
    done = float(ends[first - 1]) if first else 0.0
    left = float(ends[-1]) - done
    even = left / np.ceil(left / cap) if left > 0 else 0.0
    largest = int(np.searchsorted(ends, done + cap, side="right"))
    nearest = int(np.searchsorted(ends, done + even, side="left")) + 1
    return max(first + 1, min(largest, nearest, len(ends)))
