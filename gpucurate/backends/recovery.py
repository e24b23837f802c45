"""What a worker does where memory runs out, or a document cannot be done: the same with fewer rows.

Only the rows of one call of a stage are done again, so what went before and comes after is not lost.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from gpucurate.backends.call import AnyTask, Stage
from gpucurate.backends.gauge import Gauge
from gpucurate.backends.journal import Journal
from gpucurate.backends.made import Flow, Made
from gpucurate.backends.part import Part
from gpucurate.io.piece import LinesOriginal
from gpucurate.memory.out_of_memory import device_is_lost, forget, is_out_of_memory
from gpucurate.spec.errors import GpucurateError, OverBudgetError, StageError
from gpucurate.spec.events import Order
from gpucurate.spec.reject import SNIPPET_BYTES, Reject
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.origin import Origin

MOST_REJECTED = 1000
"""A unit is given up in which a stage can do none of more documents than this."""

MOST_WITHOUT_ONE = 64
"""It is given up at once if these are the first, and there was none that the stage could do."""

Attempt: TypeAlias = Callable[[list[AnyTask]], Iterator[Made]]


class _Failure(NamedTuple):
    """Why rows cannot be done."""

    reason: Literal["oom", "poison"]
    message: str

    @property
    def detail(self) -> str:
        """A sentence."""
        return self.message.splitlines()[-1]


@dataclass(slots=True)
class _Record:
    """Rows of the unit that a stage was given so far, that it did, and that failed alone."""

    given: int = 0
    done: int = 0
    refused: int = 0
    last: _Failure | None = None


@dataclass(slots=True)
class Recovery:
    """Looks after one unit.

    Attributes:
        order: how the unit is to be done.
        context: of the unit.
        gauge: measures what batches take.
        journal: where to note what is being done; None for none.
    """

    order: Order
    context: UnitContext
    gauge: Gauge = field(default_factory=Gauge)
    journal: Journal | None = None
    _records: dict[int, _Record] = field(default_factory=dict)

    @property
    def _holds_back(self) -> bool:
        """Whether results of a call wait for its end, so that it can be repeated up to then."""
        return self.order.bisect or bool(self.order.suspects)

    def helps(self, stage: Stage) -> bool:
        """Whether a call of the stage may be repeated with fewer rows.

        Not one that holds something of the unit from call to call, such as the file that it writes:
        the rows of a call that failed half-way could be in there.
        """
        if stage.members:
            return stage.splittable and all(map(self.helps, stage.members))
        cls = type(stage)
        holds = cls.flush is not ProcessingStage.flush or cls.bind is not ProcessingStage.bind
        return stage.splittable and not holds

    def run(
        self, position: int, stage: Stage, flow: Flow, given: list[Any], attempt: Attempt
    ) -> Iterator[Made]:
        """What a stage makes of batches, by as few calls as will do.

        Args:
            position: of the stage in its segment.
            stage: it.
            flow: its figures.
            given: batches; the list is emptied.
            attempt: calls the stage with a list, which it empties.

        Raises:
            StageError: what the stage raised, if that cannot be helped.
        """
        record = self._records.setdefault(position, _Record())
        waiting = self._parts(position, record, given)
        made: deque[Made] = deque()
        while waiting:
            part = waiting.pop()
            if part.is_doomed:
                flow.rejected += 1
                self._reject(part, _Failure("poison", f"it ended the worker in stage {stage.name!r}"))
                continue
            stream, nbytes = attempt([*part.batches]), part.nbytes
            failure = self._try(position, stage, part, stream, made)
            if failure is not None:
                _free(stage, failure)
                if part.is_divisible:
                    waiting += part.halves()[::-1]
                else:
                    flow.rejected += 1
                    self._refuse(stage, record, part, failure)
                continue
            record.done += part.rows
            del part
            while made:
                yield made.popleft()
            try:
                yield from stream
            except Exception as error:  # too late to help this unit; the next order may
                self.gauge.note_failure(stage, nbytes, error)
                raise

    def conclude(self, stages: Sequence[Stage]) -> None:
        """Judge the unit when it has gone through.

        Raises:
            StageError: a stage could do none of its documents, so that is not their fault.
            OverBudgetError: there was no memory for any of them.
        """
        for position, record in self._records.items():
            if record.refused > 1 and not record.done:
                raise _blame(stages[position], record)

    def _parts(self, position: int, record: _Record, given: list[Any]) -> list[Part]:
        """Batches as parts, the first one last."""
        whole = Part(given[:], record.given)
        given.clear()
        record.given = whole.stop
        if not self.order.suspects:
            return [whole]
        return whole.around([each for each in self.order.suspects if each.stage == position])[::-1]

    def _try(
        self, position: int, stage: Stage, part: Part, stream: Iterator[Made], made: deque[Made]
    ) -> _Failure | None:
        """Call the stage up to its first result, or to its end; what failed, if it can be helped."""
        counted, stage._counters = stage._counters, None
        dropped, stage._dropped = stage._dropped, None
        if self.journal is not None:
            self.journal.begin(position, part.start, part.stop)
        try:
            with self.gauge.measured(stage, part.nbytes):
                made.extend(stream if self._holds_back else islice(stream, 1))
        except Exception as error:
            self.gauge.note_failure(stage, part.nbytes, error)
            failure = self._failure(part, error)
            if failure is None:
                raise
            made.clear()
            stage._counters, stage._dropped = counted, dropped
            forget(error)
            return failure
        if self.journal is not None:
            self.journal.end()
        if counted:
            counted.update(stage.take_counts())
            stage._counters = counted
        if dropped:
            dropped.update(stage.take_dropped())
            stage._dropped = dropped
        return None

    def _failure(self, part: Part, error: Exception) -> _Failure | None:
        """What is wrong with a part, or None where fewer rows, or fewer by one, would not help."""
        if device_is_lost(error) or not part.rows:
            return None
        message = str(error).strip() or type(error).__name__
        if is_out_of_memory(error):
            may_reject = self.order.bisect or self.order.alone  # else others may hold what it needs
            return _Failure("oom", message) if part.is_divisible or may_reject else None
        of_the_user = isinstance(error, StageError) and error.__cause__ is not None
        return _Failure("poison", message) if self.order.bisect and of_the_user else None

    def _refuse(self, stage: Stage, record: _Record, part: Part, failure: _Failure) -> None:
        """Reject the row of a part that failed alone, unless the stage is to blame.

        Raises:
            StageError: it is.
            OverBudgetError: it is, for what it takes of memory.
        """
        record.refused += 1
        record.last = failure
        if record.refused > (MOST_REJECTED if record.done else MOST_WITHOUT_ONE):
            raise _blame(stage, record)
        self._reject(part, failure)

    def _reject(self, part: Part, failure: _Failure) -> None:
        (batch,) = part.batches
        origin = batch._origin or Origin(None, batch.task_id or self.context.unit_id)
        is_known = origin.source is not None  # else rows have no place in a file
        line = int(batch.records[0]) if is_known and batch.records is not None else None
        self.context.reject(origin, Reject(failure.reason, line, None, failure.detail, _snippet(batch)))


def _free(stage: Stage, failure: _Failure) -> None:
    """Give back what a call held that ran out of memory."""
    if failure.reason == "oom":
        gc.collect()  # arrays in cycles outlive their frames
        if stage._gpu_memory is not None:
            stage.gpu_memory.release()


def _blame(stage: Stage, record: _Record) -> GpucurateError:
    """The error of a stage that can do no document; its last line is what was last said."""
    assert record.last is not None
    rest, _, last = record.last.message.rpartition("\n")
    count = f"{record.refused:,} documents failed alone, {record.done:,} did not; the last:"
    message = f"{rest}\n{count}\n{last}".lstrip()
    return OverBudgetError(message) if record.last.reason == "oom" else StageError(message, stage.name)


def _snippet(batch: DocumentBatch) -> bytes:
    """The first bytes of a batch of one row, for a look."""
    if isinstance(batch._original, LinesOriginal):
        return batch._original.line(0)[:SNIPPET_BYTES]
    row = batch.to_pyarrow().to_pylist()
    return repr(row[0] if row else {}).encode(errors="backslashreplace")[:SNIPPET_BYTES]
