"""The answer to the hard limit: a batch that runs out of memory is done in parts."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

from gpucurate.memory.out_of_memory import device_is_lost, forget, is_out_of_memory
from gpucurate.memory.piece_size import PieceSize
from gpucurate.spec.errors import OverBudgetError, one_line

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def in_parts(
    work: Callable[[Batch], Result],
    batch: Batch,
    halve: Callable[[Batch], tuple[Batch, Batch] | None],
    join: Callable[[Sequence[Result]], Result],
    *,
    size: Callable[[Batch], int],
    release: Callable[[], object],
    learned: PieceSize,
    least: int = 1,
) -> Result:
    """Do a batch whole, or in as few halves of halves as memory asks for, in order.

    Args:
        work: what is done with a batch, or a part of one; may run out of memory, and must have no
            lasting effect then.
        batch: rows in any form.
        halve: a batch in two, in order, each of less size than it; None for one row.
        join: results of the parts in order as one; not called for a single part.
        size: of a batch, in the unit of ``learned`` and ``least``: what its memory grows with, such as
            bytes of text.
        release: called after each failure: gives back caches.
        learned: what earlier batches have taught; the next batch is cut before it fails.
        least: a batch of this size or less is not halved.

    Raises:
        OverBudgetError: a part that cannot be halved does not fit.
        Exception: whatever else ``work`` raises.

    >>> halve = lambda rows: (rows[:1], rows[1:]) if len(rows) > 1 else None
    >>> in_parts(sum, [1, 2, 3], halve, sum, size=len, release=lambda: None, learned=PieceSize())
    6
    """
    waiting, results = [batch], list[Result]()
    del batch  # so that the whole can go while its halves are at work
    while waiting:
        part = waiting.pop()
        amount = size(part)
        if amount > least and not learned.admits(amount) and _cut(part, halve, waiting):
            continue
        reason = _attempt(work, part, results)
        if reason is None:
            learned.observe_success(amount)
            continue
        gc.collect()  # arrays in cycles outlive their frames
        release()
        if amount <= least or not _cut(part, halve, waiting):
            raise OverBudgetError(
                f"a batch of size {amount:,}, which cannot be split, does not fit in memory ({reason}): "
                "give more memory (--gpu-memory where it is a GPU's), or take such documents out before"
            )
        learned.observe_failure(amount)
    return results[0] if len(results) == 1 else join(results)


def _cut(part: Batch, halve: Callable[[Batch], tuple[Batch, Batch] | None], waiting: list[Batch]) -> bool:
    """Put the halves of a part next in turn; False where it has none. Leaves no other reference to them."""
    halves = halve(part)
    waiting += reversed(halves or ())
    return halves is not None


def _attempt(work: Callable[[Batch], Result], part: Batch, results: list[Result]) -> str | None:
    """Do a part; None, or what the error said where memory ran out. No frame of ``work`` stays alive."""
    try:
        results.append(work(part))
    except Exception as error:
        if device_is_lost(error) or not is_out_of_memory(error):
            raise
        forget(error)
        return one_line(error) or type(error).__name__
    return None
