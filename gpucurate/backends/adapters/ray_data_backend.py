"""The scheduler's units as rows of Ray Data."""

from __future__ import annotations

import pickle
import queue
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gpucurate.backends.adapters.ray_data_pass import Crew, Over, Pass
from gpucurate.backends.adapters.ray_data_step import mark_of
from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.journal import journal_path, read_journal
from gpucurate.backends.runner import failure_of
from gpucurate.backends.worker_process import Work
from gpucurate.spec.cluster import MILLI, Node
from gpucurate.spec.events import (
    Dispatch,
    FailureKind,
    SetupFailed,
    SpawnWorker,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.figures import Figures
from gpucurate.spec.suspect import Suspect
from gpucurate.spec.unit import Unit, UnitResult, merged

WINDOW = 1000
"""Units of one pass: each pass starts the actors again, and is broken off by the death of one."""

_NOWHERE = 1 << 62


class RayDataBackend:
    """Gives Ray Data the units that are due, as one data set, and takes what comes out of it.

    Which actor runs a unit is Ray Data's to say; so to the scheduler each unit in flight is with a worker of
    its own, which is there at once. When an actor dies, Ray Data breaks off: the unit that it was at is
    reported as the death of its worker, those that had not come out go into the next pass.

    Args:
        assignments: what the actors of each segment run.
        crews: the actors.
        marks: folder for marks of what actors are at.
    """

    def __init__(self, assignments: Sequence[Assignment], crews: Sequence[Crew], marks: Path) -> None:
        self._assignments = list(assignments)
        self._crews = list(crews)
        self._marks = marks
        self._reports: deque[Report] = deque()
        self._due: dict[int, Work] = {}
        self._pass: Pass | None = None
        self._came = False
        self._killed: dict[int, str] = {}
        self._not_set_up: tuple[FailureKind, str] | None = None

    def nodes(self) -> Sequence[Node]:
        """One that has room for a pass."""
        return [Node("ray-data", WINDOW * MILLI, _NOWHERE)]

    def spawn(self, action: SpawnWorker) -> None:
        """Nothing: the actors are Ray Data's. Once their setup has failed, a worker's fails as well."""
        if self._not_set_up is None:
            self._reports.append((WorkerReady(action.worker), None))
        else:
            self._fail_setup(action.worker, self._not_set_up)

    def _fail_setup(self, worker: int, failure: tuple[FailureKind, str]) -> None:
        self._not_set_up = failure
        self._reports.append((SetupFailed(worker, *failure), None))
        self._reports.append((WorkerDied(worker, "its stages could not be set up", "stopped"), None))

    def dispatch(self, action: Dispatch, unit: Unit, given: Any) -> None:
        """Have a unit go with the next pass."""
        try:
            packed = cloudpickle.dumps(unit)
        except Exception as error:
            why = f"the tasks of the unit cannot be sent to a worker: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(action.worker, unit.id, "configuration", why), None))
            return
        self._due[action.worker] = (unit.id, action.order, packed, None)

    def stop(self, worker: int, *, is_worn: bool = False) -> None:
        """Nothing: see :meth:`spawn`."""
        self._reports.append((WorkerDied(worker, "stopped", "stopped"), None))

    def kill(self, worker: int, why: str) -> None:
        """Kill the actor that is at the unit of a worker, which breaks the pass off."""
        self._killed[worker] = why
        at = mark_of(self._marks, worker).read()
        if at is not None:
            _end(*at)
        elif self._due.pop(worker, None) is not None:
            self._reports.append((WorkerDied(worker, why, "stopped"), None))

    def stacks(self, worker: int) -> str:
        """Nothing: the process is not ours to ask."""
        return ""

    def release(self, handed_on: Any) -> None:
        """Nothing: what segments hand on is Ray Data's."""

    def poll(self, timeout: float) -> list[Report]:
        """What came out."""
        if self._pass is None and self._due and not self._reports:
            self._pass, self._due, self._came = Pass(self._due), {}, False
            self._pass.start(self._crews, str(self._marks))
        if self._pass is not None:
            self._take(self._pass, 0 if self._reports else timeout)
        reports = list(self._reports)
        self._reports.clear()
        return reports

    def _take(self, running: Pass, timeout: float) -> None:
        try:
            answer = running.answers.get(timeout=timeout) if timeout > 0 else running.answers.get_nowait()
            while True:
                if isinstance(answer, Over):
                    self._end_pass(running, answer.error)
                    return
                self._report(running, *answer)
                answer = running.answers.get_nowait()
        except queue.Empty:
            return

    def _report(self, running: Pass, worker: int, packed: bytes) -> None:
        """What segments said of a unit, as if it were one."""
        self._came = True
        work = running.left.pop(worker)
        events = pickle.loads(packed)
        last = events[-1][0]
        if isinstance(last, WorkerDied):  # after a setup that failed: what it says of itself comes before
            last = events[-2][0]
        if isinstance(last, SetupFailed):
            self._fail_setup(worker, (last.kind, last.message))
        elif isinstance(last, UnitDone):
            self._done(worker, work[0], [result for _, result in events])
        else:
            self._reports.append((last, None))

    def _done(self, worker: int, unit: str, packed: list[bytes]) -> None:
        try:
            results: list[UnitResult] = [pickle.loads(result) for result in packed]
        except Exception as error:  # a class of the user's that loads in a worker and not here
            why = f"the tasks of the unit cannot be loaded in the driver: {failure_of(error)[1]}"
            self._reports.append((UnitFailed(worker, unit, "user", why), None))
            return
        figures = Figures(
            seconds=sum(result.figures.seconds for result in results),
            samples=tuple(sample for result in results for sample in result.figures.samples),
        )
        self._reports.append((UnitDone(worker, unit, figures), merged(results)))

    def _end_pass(self, running: Pass, error: BaseException | None) -> None:
        self._pass = None
        if error is None:
            return
        said = failure_of(error)[1].splitlines()
        why = said[-1] if said else type(error).__name__
        suspects = [worker for worker in running.left if mark_of(self._marks, worker).read() is not None]
        if not suspects and not self._came:
            suspects = self._no_start(running, why)
        elif not suspects:
            suspects = list(running.left)[:1]
        for worker in suspects:
            self._bury(worker, running.left.pop(worker), why)
        for worker, work in running.left.items():
            self._due[worker] = work

    def _no_start(self, running: Pass, why: str) -> list[int]:
        """Actors did not even start: told of one worker, whose unit goes back unharmed."""
        worker = next(iter(running.left))
        del running.left[worker]
        self._fail_setup(worker, ("user", f"an actor of Ray Data did not start: {why}"))
        return []

    def _bury(self, worker: int, work: Work, why: str) -> None:
        mark_of(self._marks, worker).remove()
        why = self._killed.pop(worker, f"its actor of Ray Data died: {why}")
        self._reports.append((WorkerDied(worker, why, "crash", self._suspect(worker, work)), None))

    def _suspect(self, worker: int, work: Work) -> Suspect | None:
        """The rows at which it died, if it kept a journal."""
        for assignment in self._assignments:
            if assignment.folder is not None:
                attempt = assignment.attempt(work[0], work[1].attempt, worker)
                suspect = read_journal(journal_path(assignment.folder, attempt))
                if suspect is not None:
                    return suspect
        return None

    def close(self) -> None:
        """End the actors that are at something; Ray ends the others when nobody takes their rows."""
        if self._pass is not None:
            for worker in self._pass.left:
                at = mark_of(self._marks, worker).read()
                if at is not None:
                    _end(*at)
            self._pass = None


def _end(pid: int, node: str) -> None:
    """Kill a process of a node."""
    strategy = NodeAffinitySchedulingStrategy(node, soft=False)
    ray.remote(num_cpus=0, max_retries=0)(_kill).options(scheduling_strategy=strategy).remote(pid)


def _kill(pid: int) -> None:
    import os
    import signal

    os.kill(pid, signal.SIGKILL)
