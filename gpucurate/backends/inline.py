"""Everything in this process: for small inputs, notebooks and debuggers."""

from __future__ import annotations

from collections import deque

from gpucurate.backends.base import Report
from gpucurate.backends.runner import Assignment, Runner, failure_of
from gpucurate.spec.events import SetupFailed, UnitDone, UnitFailed, WorkerDied, WorkerReady
from gpucurate.spec.unit import Unit


class InlineBackend:
    """Runs one unit a poll, in the caller's thread.

    Args:
        assignment: what the workers run.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self._runners: dict[int, Runner] = {}
        self._work: deque[tuple[int, Unit, int]] = deque()
        self._reports: deque[Report] = deque()

    def spawn(self, worker: int) -> None:
        """Set the stages up, at once."""
        runner = self._runners[worker] = Runner(self.assignment, worker)
        try:
            runner.setup()
        except Exception as error:
            runner.teardown()
            del self._runners[worker]
            self._reports.append((SetupFailed(worker, *failure_of(error)), None))
        else:
            self._reports.append((WorkerReady(worker), None))

    def dispatch(self, worker: int, unit: Unit, attempt: int) -> None:
        """Keep the unit for the next poll."""
        self._work.append((worker, unit, attempt))

    def stop(self, worker: int) -> None:
        """Tear the stages down, at once."""
        if runner := self._runners.pop(worker, None):
            runner.teardown()
        self._reports.append((WorkerDied(worker, "stopped"), None))

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
            self._runners.popitem()[1].teardown()
