"""The loop that joins scheduler, backend and run folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from gpucurate.backends.base import Backend, Report
from gpucurate.backends.signals import StopSignals
from gpucurate.checkpoint.phase import Phase
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Policy
from gpucurate.spec import events as ev
from gpucurate.spec.errors import (
    ConfigurationError,
    GpucurateError,
    InputError,
    InterruptedRunError,
    StageError,
    StorageError,
)
from gpucurate.spec.progress import Observer
from gpucurate.spec.unit import Unit, UnitResult

POLL_SECONDS = 0.05
DRAIN_SECONDS = 25.0
"""After a signal, units in flight may take so long to finish."""

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
        peak_bytes_in_flight: the most input, as estimated, that was worked on at a time.
        seconds: wall time.
        resumed_units: units that an earlier run had finished.
    """

    results: list[UnitResult]
    quarantined: list[ev.Quarantine] = field(default_factory=list)
    retries: int = 0
    peak_bytes_in_flight: int = 0
    seconds: float = 0.0
    resumed_units: int = 0


class Driver:
    """Runs the units of one phase.

    Args:
        units: all units, in order.
        sizes: bytes that each is taken to hold in memory while it runs, by id.
        policy: limits.
        backend: carries actions out.
        observer: is told of progress.
        phase: where results become final; None for a run that leaves nothing on disk.

    Attributes:
        has_work: whether any unit was left undone by earlier runs.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        *,
        sizes: dict[str, int],
        policy: Policy,
        backend: Backend,
        observer: Observer,
        phase: Phase | None,
    ) -> None:
        self.units = {unit.id: unit for unit in units}
        self.phase = phase
        self.backend = backend
        self.observer = observer
        self._done: dict[str, UnitResult] = dict(phase.done) if phase else {}
        self._resumed = len(self._done)
        self._results: dict[str, UnitResult] = {}
        self._quarantined: list[ev.Quarantine] = []
        self._failure: ev.FailRun | None = None
        self._stopping = False
        left = [unit for unit in units if unit.id not in self._done]
        self.has_work = bool(left)
        self.core = Core([(unit.id, sizes[unit.id]) for unit in left], policy)

    def run(self, name: str) -> Outcome:
        """Run until every unit is committed or set aside.

        Raises:
            InterruptedRunError: a signal came; what was finished is committed.
            GpucurateError: something that is not the fault of one unit.
        """
        began = time.monotonic()
        done_bytes = sum(self.units[unit].est_bytes for unit in self._done)
        total = sum(unit.est_bytes for unit in self.units.values())
        self.observer.phase_started(name, len(self.units), total, self._resumed, done_bytes)
        try:
            with StopSignals() as signals:
                self._loop(signals)
        finally:
            self.backend.close()
            self.observer.phase_ended(name)
            if self.phase:
                self.phase.folder.log.sync()
        self._raise_failure()
        return Outcome(
            results=[self._done[unit] for unit in self.units if unit in self._done],
            quarantined=self._quarantined,
            retries=self.core.retries,
            peak_bytes_in_flight=self.core.admission.peak,
            seconds=time.monotonic() - began,
            resumed_units=self._resumed,
        )

    def _loop(self, signals: StopSignals) -> None:
        self._carry_out(self.core.start())
        deadline: float | None = None
        while not self.core.finished:
            if signals.received is not None and deadline is None:
                deadline = time.monotonic() + DRAIN_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                break
            for report in self.backend.poll(POLL_SECONDS):
                self._heed(signals)  # first: what a report frees a worker for must not be begun
                self._take(report)
            self._heed(signals)
            if self.phase:
                self.phase.sync_if_due()
        if signals.received is not None:
            raise InterruptedRunError(
                f"interrupted with {len(self._done):,} of {len(self.units):,} units done; "
                "the same command goes on from there",
                signals.received,
            )

    def _heed(self, signals: StopSignals) -> None:
        if signals.received is not None and not self._stopping:
            self._stopping = True
            self._carry_out(self.core.on(ev.StopRequested(f"signal {signals.received}")))

    def _take(self, report: Report) -> None:
        event, result = report
        if isinstance(event, ev.UnitDone) and result is not None:
            self._results[event.unit] = result
        if isinstance(event, ev.UnitFailed):
            self.observer.trouble(f"unit {self.units[event.unit].index}: {event.message.splitlines()[-1]}")
        if isinstance(event, ev.WorkerDied) and event.why != "stopped":
            self.observer.trouble(f"worker {event.worker}: {event.why.splitlines()[-1]}")
        self._carry_out(self.core.on(event))

    def _carry_out(self, actions: Sequence[ev.Action]) -> None:
        # What gives a worker work comes first: a commit waits for the disk.
        for action in sorted(actions, key=lambda action: not isinstance(action, ev.Dispatch)):
            match action:
                case ev.SpawnWorker(worker):
                    self.backend.spawn(worker)
                case ev.StopWorker(worker):
                    self.backend.stop(worker)
                case ev.Dispatch(worker, unit, attempt):
                    self.backend.dispatch(worker, self.units[unit], attempt)
                case ev.Commit(unit):
                    self._commit(self.units[unit], self._results.pop(unit))
                case ev.Quarantine():
                    self._set_aside(action)
                case ev.FailRun():
                    self._failure = action

    def _commit(self, unit: Unit, result: UnitResult) -> None:
        if self.phase:
            self.phase.commit(unit, result)
        self._done[unit.id] = result
        self.observer.unit_committed(result, unit.est_bytes)

    def _set_aside(self, action: ev.Quarantine) -> None:
        self._quarantined.append(action)
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
