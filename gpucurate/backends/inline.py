"""Everything in this process: for small inputs, notebooks and debuggers."""

from __future__ import annotations

import copy
import logging
from collections import deque
from dataclasses import replace

from gpucurate.backends.base import Report
from gpucurate.backends.runner import Assignment, Runner, failure_of
from gpucurate.spec.events import SetupFailed, UnitDone, UnitFailed, WorkerDied, WorkerReady
from gpucurate.spec.unit import Unit

_log = logging.getLogger(__name__)


class InlineBackend:
    """Runs one unit a poll, in the caller's thread.

    It works on shallow copies of the stages: what ``setup`` loads into them is gone with the
    run, as it is with a worker process, and the caller's objects still say the same plan.

    Args:
        assignment: what the workers run.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = replace(assignment, stages=[copy.copy(stage) for stage in assignment.stages])
        self._runners: dict[int, Runner] = {}
        self._work: deque[tuple[int, Unit, int]] = deque()
        self._reports: deque[Report] = deque()

    def spawn(self, worker: int) -> None:
        """Set the stages up, at once."""
        runner = self._runners[worker] = Runner(self.assignment, worker)
        try:
            runner.setup()
        except Exception as error:
            self._reports.append((SetupFailed(worker, *failure_of(error)), None))
            self.stop(worker)
        else:
            self._reports.append((WorkerReady(worker), None))

    def dispatch(self, worker: int, unit: Unit, attempt: int) -> None:
        """Keep the unit for the next poll."""
        self._work.append((worker, unit, attempt))

    def stop(self, worker: int) -> None:
        """Tear the stages down, at once."""
        why = "stopped"
        if runner := self._runners.pop(worker, None):
            try:
                runner.teardown()
            except Exception as error:
                why = failure_of(error)[1]
        self._reports.append((WorkerDied(worker, why), None))

    def poll(self, timeout: float) -> list[Report]:
        """Reports that wait, or else the outcome of the next unit; never waits."""
        if not self._reports and self._work:
            self._reports.append(self._run(*self._work.popleft()))
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def _run(self, worker: int, unit: Unit, attempt: int) -> Report:
        try:
            return UnitDone(worker, unit.id), self._runners[worker].run(unit, attempt)
        except Exception as error:
            return UnitFailed(worker, unit.id, *failure_of(error)), None

    def close(self) -> None:
        """Tear down whatever still stands."""
        while self._runners:
            try:
                self._runners.popitem()[1].teardown()
            except Exception as error:
                # The run has ended for another reason, and that is the one to raise.
                _log.warning("%s", failure_of(error)[1])
