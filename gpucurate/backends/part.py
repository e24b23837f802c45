"""Some of the rows that a stage is given at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from gpucurate.spec.suspect import Suspect
from gpucurate.tasks.document import DocumentBatch

SUSPECT_PARTS = 16
"""Rows among which one ends the worker are done in so many parts."""


@dataclass(frozen=True)
class Part:
    """Batches, and where their rows stand.

    Attributes:
        batches: in order.
        start: first row, among all that the stage is given of the unit.
        is_doomed: whether the row, which is a single one, has ended a worker.
    """

    batches: list[DocumentBatch]
    start: int
    is_doomed: bool = False
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", sum(batch.num_items for batch in self.batches))

    @property
    def stop(self) -> int:
        """End of the rows, exclusive."""
        return self.start + self.rows

    @cached_property
    def nbytes(self) -> int:
        """Bytes of the batches; of frames of objects they take long to count."""
        return sum(batch.nbytes for batch in self.batches)

    @property
    def is_divisible(self) -> bool:
        """Whether it has halves."""
        return len(self.batches) > 1 or self.rows > 1

    def halves(self) -> list[Part]:
        """Half of the batches and the others, or half of the rows of the only one and the others."""
        if len(self.batches) == 1:
            middle = self.start + self.rows // 2
            return [self.between(self.start, middle), self.between(middle, self.stop)]
        first = Part(self.batches[: len(self.batches) // 2], self.start)
        return [first, Part(self.batches[len(first.batches) :], first.stop)]

    def between(self, start: int, stop: int, *, is_doomed: bool = False) -> Part:
        """Its rows ``start`` to ``stop``, counted as the part's own."""
        chosen, first = [], self.start
        for batch in self.batches:
            begin, end = max(start, first) - first, min(stop, first + batch.num_items) - first
            if begin < end:
                whole = end - begin == batch.num_items
                chosen.append(batch if whole else batch.rows(begin, end))
            first += batch.num_items
        return Part(chosen, start, is_doomed)

    def around(self, suspects: Sequence[Suspect]) -> list[Part]:
        """The part, with suspects of its stage in parts of their own, and a single one doomed."""
        found = [each for each in suspects if each.start < self.stop and each.stop > self.start]
        if not found:
            return [self]
        cuts = {self.start, self.stop}
        for each in found:
            step = -(-each.rows // SUSPECT_PARTS)
            cuts.update([*range(each.start, each.stop, step), each.stop])
        ends = sorted(cut for cut in cuts if self.start <= cut <= self.stop)
        doomed = {each.start for each in found if each.rows == 1}
        return [self.between(start, stop, is_doomed=start in doomed) for start, stop in pairwise(ends)]
