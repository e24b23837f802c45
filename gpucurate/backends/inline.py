"""Everything in this process: for small inputs, notebooks and debuggers."""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.runner import Runner, failure_of
from gpucurate.spec.cluster import Node
from gpucurate.spec.events import (
    Dispatch,
    Order,
    SetupFailed,
    SpawnWorker,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.unit import Unit

_log = logging.getLogger(__name__)


class InlineBackend:
    """Runs one unit a poll, in the caller's thread, through all stages up to the next checkpoint.

    It works on shallow copies of the stages: what ``setup`` loads into them is gone with the
    run, as it is with a worker process, and the caller's objects still say the same plan.

    Args:
        assignments: all stages of the plan; or several, divided where checkpoints are.
        node: this machine.
    """

    def __init__(self, assignments: Sequence[Assignment], node: Node) -> None:
        self.assignments = [
            replace(work, stages=[copy.copy(stage) for stage in work.stages]) for work in assignments
        ]
        self._node = node
        self._runners: dict[int, Runner] = {}
        self._work: deque[tuple[int, Unit, Order, Any]] = deque()
        self._reports: deque[Report] = deque()

    def nodes(self) -> Sequence[Node]:
        """This machine."""
        return [self._node]

    def spawn(self, action: SpawnWorker) -> None:
        """Set the stages up, at once."""
        worker = action.worker
        runner = self._runners[worker] = Runner(self.assignments[action.segment], worker)
        try:
            runner.setup()
        except Exception as error:
            self._reports.append((SetupFailed(worker, *failure_of(error)), None))
            self.stop(worker)
        else:
            self._reports.append((WorkerReady(worker), None))

    def dispatch(self, action: Dispatch, unit: Unit, given: Any) -> None:
        """Keep the unit for the next poll."""
        self._work.append((action.worker, unit, action.order, given))

    def stop(self, worker: int, *, is_worn: bool = False) -> None:
        """Tear the stages down, at once."""
        self._end(worker, "stopped")

    def kill(self, worker: int, why: str) -> None:
        """The same: there is no process to kill."""
        self._end(worker, why)

    def _end(self, worker: int, why: str) -> None:
        if runner := self._runners.pop(worker, None):
            try:
                runner.teardown()
            except Exception as error:
                why = failure_of(error)[1]
        self._work = deque(entry for entry in self._work if entry[0] != worker)
        self._reports.append((WorkerDied(worker, why, "stopped"), None))

    def stacks(self, worker: int) -> str:
        """Nothing: who could ask is this thread."""
        return ""

    def release(self, handed_on: Any) -> None:
        """Remove what is needed no more."""
        if self.assignments[0].exchange is not None:
            self.assignments[0].exchange.drop(handed_on)

    def poll(self, timeout: float) -> list[Report]:
        """Reports that wait, or else the outcome of the next unit; never waits."""
        if not self._reports and self._work:
            self._reports.append(self._run(*self._work.popleft()))
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def _run(self, worker: int, unit: Unit, order: Order, given: Any) -> Report:
        runner = self._runners[worker]
        try:
            result = runner.run(unit, order, given)
        except Exception as error:
            return UnitFailed(worker, unit.id, *failure_of(error), runner.figures), None
        return UnitDone(worker, unit.id, result.figures), result

    def close(self) -> None:
        """Tear down whatever still stands."""
        while self._runners:
            try:
                self._runners.popitem()[1].teardown()
            except Exception as error:
                # The run has ended for another reason, and that is the one to raise.
                _log.warning("%s", failure_of(error)[1])
