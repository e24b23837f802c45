"""What comes of one attempt at a unit, as a real worker would have it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gpucurate.backends.sim.faults import Trouble
from gpucurate.backends.sim.model import BatchMemory
from gpucurate.spec.events import FailureKind, Order
from gpucurate.spec.figures import MemorySample
from gpucurate.spec.suspect import Suspect

PARTS = 16
"""A suspected range of rows is done in so many parts."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ends.

    Attributes:
        end: ``done``; ``raised``, and the worker lives; or ``died``, with the worker.
        kind: what was raised.
        suspect: rows that the journal names.
        rejected: documents rejected on the way.
    """

    end: Literal["done", "raised", "died"] = "done"
    kind: FailureKind = "user"
    suspect: Suspect | None = None
    rejected: int = 0


def attempt(trouble: Trouble | None, earlier: int, order: Order) -> Outcome:
    """What comes of a unit.

    Args:
        trouble: what is wrong with it in this segment.
        earlier: attempts at it before this one.
        order: how it is to be done.
    """
    if trouble is None or (trouble.times is not None and earlier >= trouble.times):
        return Outcome()
    if trouble.kind == "kills":
        return _killing(trouble, order)
    if order.bisect and trouble.rows and trouble.kind == "user":
        return Outcome(rejected=len(trouble.bad))  # batches are halved in the worker till these stand alone
    return Outcome("raised", trouble.kind)


def _killing(trouble: Trouble, order: Order) -> Outcome:
    """Rows are done in order; the first bad one that is not set aside ends the worker."""
    if not (order.bisect or order.suspects) or not trouble.rows:
        return Outcome("died")
    alone = {suspect.start for suspect in order.suspects if suspect.rows == 1}
    left = [row for row in trouble.bad if row not in alone]
    if not left:
        return Outcome(rejected=len(trouble.bad))
    return Outcome("died", suspect=_journaled(min(left), trouble.rows, order.suspects))


def _journaled(row: int, rows: int, suspects: Iterable[Suspect]) -> Suspect:
    """What the journal named last: the part of a suspected range, or all that lies between such ranges."""
    edges = sorted({0, rows, *(s.start for s in suspects), *(s.stop for s in suspects)})
    start = max(edge for edge in edges if edge <= row)
    stop = min(edge for edge in edges if edge > row)
    within = [s for s in suspects if s.start <= row < s.stop]
    if not within:
        return Suspect(0, 0, start, stop)
    narrow = min(within, key=lambda suspect: suspect.rows)
    part = -(-narrow.rows // PARTS)
    start = narrow.start + (row - narrow.start) // part * part
    return Suspect(0, 0, start, min(start + part, narrow.stop))


@dataclass(frozen=True, slots=True)
class BatchesRun:
    """How the batches of a unit went.

    Attributes:
        samples: what is told to the scheduler.
        errors: times that memory ran out.
        rejected: rows that do not fit alone.
        fits: whether the unit got through.
    """

    samples: tuple[MemorySample, ...] = ()
    errors: int = 0
    rejected: int = 0
    fits: bool = True


def run_batches(memory: BatchMemory, per_byte: float, nbytes: int, cap: int | None) -> BatchesRun:
    """Run a unit of ``nbytes`` in batches: one that does not fit is halved, where that is allowed."""
    size = max(
        1, memory.batch_bytes if cap is None or not memory.splittable else min(memory.batch_bytes, cap)
    )
    size = max(size, memory.row_bytes)
    whole, rest = divmod(nbytes, size)
    samples: list[MemorySample] = []
    errors = rejected = 0
    seen: dict[int, tuple[int, int]] = {}
    for batch, times in ((size, whole), (rest, 1 if rest else 0)):
        if times == 0:
            continue
        if not memory.splittable and batch * per_byte > memory.limit:
            return BatchesRun(
                (*samples, MemorySample(batch, None, False, memory.limit)), errors + 1, 0, False
            )
        if batch not in seen:
            seen[batch] = _halve(memory, per_byte, batch, samples)
        errors += times * seen[batch][0]
        rejected += times * seen[batch][1]
    return BatchesRun(tuple(samples), errors, rejected)


def _halve(memory: BatchMemory, per_byte: float, batch: int, samples: list[MemorySample]) -> tuple[int, int]:
    """Errors and rejected rows of one batch; adds one sample a size."""
    peak = int(batch * per_byte)
    if peak <= memory.limit:
        samples.append(MemorySample(batch, peak, True, memory.limit))
        return 0, 0
    samples.append(MemorySample(batch, None, False, memory.limit))
    if batch <= memory.row_bytes:
        return 1, 1
    errors, rejected = _halve(memory, per_byte, batch // 2, samples)
    return 1 + 2 * errors, 2 * rejected
