"""The loop that joins scheduler, backend and run folder."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from gpucurate.backends.base import Backend, Report
from gpucurate.backends.committing import Committer
from gpucurate.backends.history import History
from gpucurate.backends.partials import Partials
from gpucurate.backends.signals import StopSignals
from gpucurate.backends.stalls import keep_stacks
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.saved_units import SavedUnits
from gpucurate.disk.crash import reach
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec import events as ev
from gpucurate.spec.decision import Decision
from gpucurate.spec.errors import (
    ConfigurationError,
    GpucurateError,
    InputError,
    InterruptedRunError,
    StageError,
    StorageError,
)
from gpucurate.spec.figures import NOTHING, Collected
from gpucurate.spec.progress import Observer
from gpucurate.spec.unit import Unit, UnitResult

POLL_SECONDS = 0.05
DRAIN_SECONDS = 25.0
"""After a signal, units in flight may take so long to finish."""

_log = logging.getLogger("gpucurate.scheduler")

_ERRORS: dict[str, type[GpucurateError]] = {
    "input": InputError,
    "storage": StorageError,
    "configuration": ConfigurationError,
}


@dataclass(slots=True)
class Outcome:
    """What a phase came to.

    Attributes:
        results: of the finished units, in order of the listing; earlier runs' included.
        quarantined: what was set aside.
        retries: tries beyond the first.
        peak_bytes_in_flight: the most that units in work were taken to hold of one machine.
        seconds: wall time.
        resumed_units: units that an earlier run had finished.
        edge_peaks: the most bytes that waited behind each segment but the last.
        decisions: what the scheduler decided, and why.
        first_commit_s: seconds until the first unit was final; None if none was.
        busy_seconds: by segment, what workers took for its units.
        collected: what workers gave back of their memory between units.
    """

    results: list[UnitResult]
    quarantined: list[ev.Quarantine] = field(default_factory=list)
    retries: int = 0
    peak_bytes_in_flight: int = 0
    seconds: float = 0.0
    resumed_units: int = 0
    edge_peaks: list[int] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    first_commit_s: float | None = None
    busy_seconds: list[float] = field(default_factory=list)
    collected: Collected = NOTHING


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """What parts of a phase, which ran one after the other, came to; the last had all segments.

    A part that began behind a checkpoint had the last of them.
    """
    whole = replace(outcomes[-1])
    whole.results = [result for outcome in outcomes for result in outcome.results]
    whole.quarantined = [each for outcome in outcomes for each in outcome.quarantined]
    whole.decisions = [each for outcome in outcomes for each in outcome.decisions]
    whole.retries = sum(outcome.retries for outcome in outcomes)
    whole.seconds = sum(outcome.seconds for outcome in outcomes)
    whole.collected = NOTHING
    for outcome in outcomes:
        whole.collected += outcome.collected
    whole.peak_bytes_in_flight = max(outcome.peak_bytes_in_flight for outcome in outcomes)
    whole.edge_peaks = [max(each) for each in _from_the_end([o.edge_peaks for o in outcomes])]
    whole.busy_seconds = [sum(each) for each in _from_the_end([o.busy_seconds for o in outcomes])]
    began = [sum(o.seconds for o in outcomes[:at]) for at in range(len(outcomes))]
    firsts = [
        start + outcome.first_commit_s
        for start, outcome in zip(began, outcomes, strict=True)
        if outcome.first_commit_s is not None
    ]
    whole.first_commit_s = min(firsts, default=None)
    return whole


def _from_the_end(figures: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip_longest(*(each[::-1] for each in figures), fillvalue=0))[::-1]


class Driver:
    """Runs the units of one phase.

    Args:
        units: all units, in order.
        sizes: bytes that each is taken to hold in the first segment, by id.
        lanes: the segments, as the scheduler sees them.
        policy: limits.
        backend: carries actions out.
        observer: is told of progress.
        phase: where results become final; None for a run that leaves nothing on disk.
        begun: what an earlier run has made of units that begin from a checkpoint.
        saves: checkpoints, by the lane that ends with each.
        logging_interval: seconds between lines of the log that say how far the run is.

    Attributes:
        has_work: whether any unit was left undone by earlier runs.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        *,
        sizes: dict[str, int],
        lanes: Sequence[Lane],
        policy: Policy,
        backend: Backend,
        observer: Observer,
        phase: Phase | None,
        begun: Mapping[str, UnitResult] | None = None,
        saves: Mapping[int, SavedUnits] | None = None,
        logging_interval: float = 60.0,
    ) -> None:
        self.units = {unit.id: unit for unit in units}
        self.phase = phase
        self.backend = backend
        self.observer = observer
        done = phase.done if phase else {}
        self._done: dict[str, UnitResult] = {unit.id: done[unit.id] for unit in units if unit.id in done}
        self._resumed = len(self._done)
        self._partials = Partials(begun or {})
        self._saves = saves or {}
        self._segments: dict[int, int] = {}
        self._committer = Committer(phase)
        self._quarantined: list[ev.Quarantine] = []
        self._failure: ev.FailRun | None = None
        self._stopping = False
        self._began = time.monotonic()
        self._first_commit: float | None = None
        self._logging_interval = logging_interval
        self._next_log = logging_interval
        self._busy = [0.0] * len(lanes)
        self._collected = NOTHING
        left = [unit for unit in units if unit.id not in self._done]
        self.has_work = bool(left)
        work = [(unit.id, sizes[unit.id]) for unit in left]
        self._nodes = list(backend.nodes()) if left else []
        self.core = Core(lanes, work, policy, self._nodes)
        part = f"-last-{len(lanes)}" if begun else ""
        self._history = History(phase, lanes, work, policy, self._nodes, part=part)

    def run(self, name: str) -> Outcome:
        """Run until every unit is committed or set aside.

        Raises:
            InterruptedRunError: a signal came; what was finished is committed.
            GpucurateError: something that is not the fault of one unit.
        """
        self._began = time.monotonic()
        done_bytes = sum(self.units[unit].est_bytes for unit in self._done)
        total = sum(unit.est_bytes for unit in self.units.values())
        self.observer.phase_started(name, len(self.units), total, self._resumed, done_bytes)
        try:
            with StopSignals() as signals:
                try:
                    self._loop(signals)
                except KeyboardInterrupt:
                    if signals.received is None:  # not by a signal that is watched for
                        raise
                    raise self._interrupted(signals.received) from None
        finally:
            self.backend.close()
            self._committer.close()
            self.observer.phase_ended(name)
            self._history.close()
            if self.phase:
                self.phase.folder.log.sync()
        self._raise_failure()
        return Outcome(
            results=[self._done[unit] for unit in self.units if unit in self._done],
            quarantined=self._quarantined,
            retries=self.core.retries,
            peak_bytes_in_flight=self.core.peak_in_flight,
            seconds=time.monotonic() - self._began,
            resumed_units=self._resumed,
            edge_peaks=self.core.peaks,
            decisions=self._history.decisions,
            first_commit_s=self._first_commit,
            busy_seconds=self._busy,
            collected=self._collected,
        )

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    def _loop(self, signals: StopSignals) -> None:
        if self.has_work:
            self._carry_out(self.core.start(self._now))
        deadline: float | None = None
        while self.has_work and not self.core.finished:
            if signals.received is not None and deadline is None:
                deadline = time.monotonic() + DRAIN_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                break
            for report in self.backend.poll(self._patience()):
                self._heed(signals)  # first: what a report frees a worker for must not be begun
                self._take(report)
            self._heed(signals)
            self._tick()
            self._note_final(self._committer.go_on())
            self._log_progress()
        reach("driver.before_drain")
        self._note_final(self._committer.drain())
        reach("driver.after_drain")
        if signals.received is not None:
            raise self._interrupted(signals.received)

    def _interrupted(self, number: int) -> InterruptedRunError:
        return InterruptedRunError(
            f"interrupted with {len(self._done):,} of {len(self.units):,} units done; "
            "the same command goes on from there",
            number,
        )

    def _patience(self) -> float:
        wake = self.core.next_wake()
        left = POLL_SECONDS if wake is None else wake - self._now
        return min(POLL_SECONDS, max(0.0, left))

    def _tick(self) -> None:
        wake = self.core.next_wake()
        if wake is not None and wake <= self._now:
            self._tell(ev.Tick())

    def _log_progress(self) -> None:
        if self._now >= self._next_log:
            self._next_log = self._now + self._logging_interval
            _log.info("%d of %d units done; %s", len(self._done), len(self.units), self.core.summary())

    def _heed(self, signals: StopSignals) -> None:
        if signals.received is not None and not self._stopping:
            self._stopping = True
            self._tell(ev.StopRequested(f"signal {signals.received}"))

    def _take(self, report: Report) -> None:
        event, result = report
        match event:
            case ev.UnitDone(worker, unit) if result is not None:
                self._keep(worker, unit, result)
            case ev.UnitFailed(_, unit, _, message):
                self.observer.trouble(f"unit {self.units[unit].index}: {message.splitlines()[-1]}")
            case ev.InputLost(_, unit, why):
                self.observer.trouble(f"unit {self.units[unit].index}: {why.splitlines()[-1]}")
            case ev.WorkerDied(worker, why) if why != "stopped":
                self.observer.trouble(f"worker {worker}: {why.splitlines()[-1]}")
        self._tell(event)

    def _keep(self, worker: int, unit: str, result: UnitResult) -> None:
        """Of a worker that was given up, nothing is kept: the unit is somewhere else by now."""
        if self.core.is_current(worker, unit):
            segment = self._segments[worker]
            reach("driver.after_result")
            self._busy[segment] += result.figures.seconds
            self._collected += result.figures.collected
            self._partials.put(unit, segment, result)
            if segment in self._saves:
                made = self._partials.upto(unit, segment)
                self._committer.save(self._saves[segment], self.units[unit], made)
            return
        if result.handed_on is not None:
            self.backend.release(result.handed_on)
        if self.phase is not None:
            self.phase.folder.discard(result.outputs)

    def _tell(self, event: ev.Event) -> None:
        now = self._now
        self._history.note(now, event)
        self._carry_out(self.core.on(event, now))
        for decision in self.core.take_decisions():
            _log.info("%s", decision)
            self._history.decided(decision)

    def _carry_out(self, actions: Sequence[ev.Action]) -> None:
        for action in actions:
            match action:
                case ev.Dispatch(_, unit, segment):
                    self._partials.begin(unit, segment)
                    reach("driver.before_dispatch")
                    self.backend.dispatch(action, self.units[unit], self._partials.given(unit, segment))
                case ev.Commit(unit):
                    self._committer.add(self.units[unit], self._partials.finish(unit))
                case ev.Release(unit, segment):
                    handed_on = self._partials.take_handed_on(unit, segment)
                    if handed_on is not None:
                        self.backend.release(handed_on)
                case ev.SpawnWorker(worker, segment):
                    self._segments[worker] = segment
                    self.backend.spawn(action)
                case ev.StopWorker(worker, is_worn):
                    self.backend.stop(worker, is_worn=is_worn)
                case ev.KillWorker(worker, why, is_stuck):
                    stacks = self.backend.stacks(worker) if is_stuck else ""
                    self.backend.kill(worker, keep_stacks(self.phase, worker, why, stacks))
                case ev.Quarantine():
                    self._set_aside(action)
                case ev.FailRun():
                    self._failure = action

    def _note_final(self, finished: Sequence[tuple[Unit, UnitResult]]) -> None:
        if finished and self._first_commit is None:
            self._first_commit = self._now
        if finished:
            reach("driver.after_commit")
        for unit, result in finished:
            self._done[unit.id] = result
            self.observer.unit_committed(result, unit.est_bytes)

    def _set_aside(self, action: ev.Quarantine) -> None:
        self._quarantined.append(action)
        self._partials.forget(action.unit)
        if self.phase:
            self.phase.set_aside(self.units[action.unit], action.kind, action.why, action.attempts)
        self.observer.trouble(
            f"unit {self.units[action.unit].index} was set aside: {action.why.splitlines()[-1]}"
        )

    def _raise_failure(self) -> None:
        if self._failure is None:
            return
        kind = _ERRORS.get(self._failure.kind)
        if kind is not None:
            raise kind(self._failure.why)
        *trace, last = self._failure.why.splitlines()  # what a stage raised, and a sentence
        error = StageError(last, "")
        if trace:
            error.add_note("\n".join(trace))
        raise error
