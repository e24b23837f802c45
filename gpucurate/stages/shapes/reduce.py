"""One figure over all documents: counts, histograms, sketches."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from gpucurate.spec.errors import ConfigurationError, GpucurateError, StageError
from gpucurate.spec.unit import UnitResult
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.shapes.plain import plain
from gpucurate.stages.told import told
from gpucurate.tasks.document import DocumentBatch


class ReduceStage(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Makes a value of each batch and merges the values of all; the batches go on as they are.

    The result is ``result.report.reduced[name]``, and stands in ``report.json``. Values are those
    that JSON has; arrays and tuples become lists, numbers of NumPy Python's, before anything is
    merged. They are merged in the order of the input, the first with the second, the outcome with the
    third, so ``merge`` need not be commutative. Where a batch ends depends on memory, so the figure is
    the same in every run only if ``merge`` is associative and ``map`` of two batches, merged, is
    ``map`` of both in one; sums of floats are so up to rounding.

    Each unit of work counts once, however often it was tried, and stays counted when a run goes on.
    Batches without documents are passed over.

    A subclass gives the three methods; or an instance takes them as functions.

    Args:
        zero: the value over no documents, or a function that gives it. Where there are documents it has
            no part in the figure.
        merge: from two values to one. Called by workers, and at the end without :meth:`setup`.
        map: from a batch to its value. On a GPU the batch is cuDF.
        name: of the stage and of the figure; one a pipeline.
        columns: columns that ``map`` needs.

    Raises:
        ConfigurationError: ``merge`` or ``map`` is neither given nor a method of the subclass.

    >>> count = ReduceStage(0, operator.add, lambda batch: batch.num_items, name="documents")
    >>> Pipeline("count", stages=[JsonlReader("in/"), count]).run().report.reduced["documents"]
    """

    name = "reduce"
    follows_device = True
    columns: Sequence[str] = ()

    def __init__(
        self,
        zero: Any = None,
        merge: Callable[[Any, Any], Any] | None = None,
        map: Callable[[DocumentBatch], Any] | None = None,
        *,
        name: str | None = None,
        columns: Iterable[str] = (),
    ) -> None:
        self.given = {"zero": zero, "merge": merge, "map": map}
        self.name = name or self.name
        self.columns = list(columns) or list(self.columns)
        for part in ("merge", "map"):
            if self.given[part] is None and getattr(type(self), part) is getattr(ReduceStage, part):
                raise ConfigurationError(
                    f"stage {self.name!r} has no {part}: give one, or derive a class with a method {part}()"
                )

    def inputs(self) -> StageIO:
        """The columns that :meth:`map` was said to need."""
        return ["data"], list(self.columns)

    def zero(self) -> Any:
        """The value over no documents."""
        zero = self.given["zero"]
        return zero() if callable(zero) else zero

    def merge(self, a: Any, b: Any) -> Any:
        """The value over the documents of both, those of ``a`` first. May change what it is given."""
        merge: Any = self.given["merge"]
        return merge(a, b)

    def map(self, batch: DocumentBatch) -> Any:
        """The value of a batch, which has at least one document and must not be changed."""
        taken: Any = self.given["map"]
        return taken(batch)

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The batch as it is; its value is merged into that of the unit."""
        if not task.num_items:
            return task
        seen = copy.copy(task.moved_to(task.device, as_frame=True))
        value = self._plain(self.map(seen), "map(batch)")
        reduced = self.context.reduced
        before = [reduced[self.name]] if self.name in reduced else []
        reduced[self.name] = self.merged([*before, value])
        return task

    def merged(self, values: Sequence[Any]) -> Any:
        """Plain values merged in order; :meth:`zero` if there are none. They are left as they are.

        Raises:
            StageError: ``merge`` raised, or gave what is no plain value.
        """
        if not values:
            return self._plain(self.zero(), "zero")
        total = plain(values[0])
        for value in values[1:]:
            total = self._plain(self._merged(total, plain(value)), "merge(a, b)")
        return total

    def _merged(self, a: Any, b: Any) -> Any:
        try:
            return self.merge(a, b)
        except (GpucurateError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            # Not from the error: no document is at fault, and with fewer of them it would be no better.
            raise StageError(told(self, error, "could not merge two values:"), self.name) from None

    def _plain(self, value: Any, what: str) -> Any:
        try:
            return plain(value, what)
        except TypeError as error:
            raise StageError(f"stage {self.name!r}: {error}", self.name) from None


def reduce_stages(stages: Iterable[ProcessingStage[Any, Any]]) -> Iterator[ReduceStage]:
    """The reduce stages among ``stages`` and their members."""
    for stage in stages:
        if isinstance(stage, ReduceStage):
            yield stage
        yield from reduce_stages(stage.members)


def check_reduces(stages: Iterable[ProcessingStage[Any, Any]]) -> None:
    """Whether each figure has a name of its own and a zero that can be written down.

    Raises:
        ConfigurationError: naming the stage.
    """
    names: set[str] = set()
    for stage in reduce_stages(stages):
        if stage.name in names:
            raise ConfigurationError(
                f"two stages make the figure {stage.name!r}: give each a name (name=..., or with_(name=...))"
            )
        names.add(stage.name)
        try:
            plain(stage.zero(), "zero")
        except Exception as error:
            raise ConfigurationError(f"stage {stage.name!r} has no zero: {error}") from error


def reduce_units(
    stages: Iterable[ProcessingStage[Any, Any]], results: Sequence[UnitResult]
) -> dict[str, Any]:
    """The figures over all units, by name.

    Args:
        stages: of the pipeline.
        results: of the units, in order of the listing.

    Raises:
        StageError: a stage's ``merge`` raised, or gave what is no plain value.
    """
    figures: dict[str, Any] = {}
    for stage in reduce_stages(stages):
        values = [result.reduced[stage.name] for result in results if stage.name in result.reduced]
        figures[stage.name] = stage.merged(values)
    return figures
