"""One run: its folder on disk, its phases, its report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gpucurate.backends.chain import Stage
from gpucurate.backends.driver import Outcome, joined
from gpucurate.backends.executors import Executor
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.rejects import number_rows
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.disk.crash import reach
from gpucurate.io.urls import redact
from gpucurate.pipeline.checkpoints import Held
from gpucurate.pipeline.verdict import check_rejected, check_units
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.names import encode_name
from gpucurate.spec.place import Place, Url
from gpucurate.spec.plan import Plan
from gpucurate.spec.progress import Observer, Silent
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.stages.shapes.reduce import reduce_units
from gpucurate.telemetry.memory_watch import MemoryWatch
from gpucurate.telemetry.report import PhaseReport, RunReport, sum_stages

INTERNAL = "_gpucurate/"
"""What outputs are called that belong to the run folder."""


class Run:
    """Carries phases out and keeps the report.

    Args:
        name: of the pipeline or workflow.
        executor: carries the phases out.
        folder: the run folder; None for a run that leaves nothing on disk.
        observer: is told of progress.
        watch: samples memory; one of its own if None.
    """

    def __init__(
        self,
        name: str,
        executor: Executor,
        folder: RunFolder | None,
        observer: Observer | None = None,
        watch: MemoryWatch | None = None,
    ) -> None:
        self.executor = executor
        self.folder = folder
        self.observer = observer or Silent()
        self.report = RunReport(name, executor.describe())
        self._watch = watch
        self._own_watch = MemoryWatch() if watch is None else None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._own_watch:
            self._watch = self._own_watch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.executor.close()
        if self._own_watch:
            self._own_watch.__exit__(kind, error, trace)

    def phase(
        self,
        plan: Plan,
        stages: Sequence[Stage],
        units: Sequence[Unit],
        collect: bool = False,
        *,
        shown: str | None = None,
    ) -> Outcome:
        """Run one phase and add its figures to the report.

        Args:
            plan: of the phase.
            stages: its stages.
            units: its units.
            collect: whether final tasks come back with their data.
            shown: what the report calls it, if not by the plan's name.

        Raises:
            GpucurateError: the phase could not be carried out.
        """
        return self.held_phase(Held(plan, list(stages), units), collect, shown=shown)

    def held_phase(self, held: Held, collect: bool = False, *, shown: str | None = None) -> Outcome:
        """Run one phase, of which checkpoints may hold a part. Arguments and errors as for :meth:`phase`."""
        phase = Phase(self.folder, held.plan, held.units) if self.folder else None
        jobs, resumed = held.jobs(phase, collect=collect), set(phase.done) if phase else set()
        outcomes = [self.executor.execute(job, self.observer) for job in jobs]
        outcome = outcomes[0] if len(outcomes) == 1 else joined(outcomes)
        made = {result.unit_id: result for outcome in outcomes for result in outcome.results}
        made |= {} if phase is None else phase.done
        outcome.results = [made[unit.id] for unit in held.units if unit.id in made]
        outcome.resumed_units = len(resumed)
        self._note(shown or held.plan.name, outcome)
        self._note_begun(held, resumed)
        self.report.reduced.update(reduce_units(held.stages, outcome.results))
        return outcome

    def _note_begun(self, held: Held, resumed: set[str]) -> None:
        for at, begun in held.begun.items():
            if count := len(begun.keys() - resumed):
                self.report.counts[f"{held.stages[at].name}: units that began behind it"] += count

    def timed(self, name: str, seconds: float) -> None:
        """Note a phase that was not made of units."""
        self.report.phases.append(PhaseReport(name, seconds))

    def _note(self, name: str, outcome: Outcome) -> None:
        results = outcome.results
        check_units(results)
        stages = sum_stages(results)
        self.report.phases.append(
            PhaseReport(
                name,
                outcome.seconds,
                units=len(results),
                resumed_units=outcome.resumed_units,
                input_bytes=sum(result.input_bytes for result in results),
                retries=outcome.retries,
                peak_bytes_in_flight=outcome.peak_bytes_in_flight,
                stages=stages,
                edge_peaks=outcome.edge_peaks,
                first_commit_s=outcome.first_commit_s,
                busy_seconds=outcome.busy_seconds,
                decisions=outcome.decisions,
                collected=outcome.collected,
            )
        )
        for stats in stages:
            self.report.counts.update(stats.custom_metrics)
        self.report.quarantined += [
            {"phase": name, "unit": q.unit, "kind": q.kind, "why": q.why, "attempts": q.attempts}
            for q in outcome.quarantined
        ]

    def close_report(self, results: Sequence[UnitResult]) -> RunReport:
        """Enter outputs, time and memory; write the report and the manifest.

        Args:
            results: of the phase that wrote the output.
        """
        files = [f for result in results for f in result.outputs if not f.name.startswith(INTERNAL)]
        report = self.report
        report.output_files = len(files)
        report.output_bytes = sum(f.bytes for f in files)
        report.seconds = time.monotonic() - self._began
        report.peak_memory_bytes = self._watch.peak if self._watch else 0
        if self.folder and not self.folder.is_finished:  # else nothing was left to do
            reach("report.before_write")
            listing = [
                {"name": encode_name(f.name), "rows": f.rows, "bytes": f.bytes, "checksum": f.checksum}
                for f in files
            ]
            self.folder.write_reports({"report.json": report.to_dict(), "manifest.json": {"files": listing}})
            reach("manifest.after_write")
        return report

    def number_rejects(self, phase: str, units: Sequence[Unit], results: Sequence[UnitResult]) -> None:
        """Move rejects to ``rejects/``, their rows counted from the start of each file."""
        if self.folder is None:
            return
        first = first_rows(units, results)
        prefix = f"{INTERNAL}scratch/rejects/{phase}-"
        for result in results:
            parts = [output.name for output in result.outputs if output.name.startswith(prefix)]
            there = [part for part in map(self.folder.final_path, parts) if part.exists()]
            rows = sum(
                number_rows(part, self.folder.writable("rejects") / part.name, first) for part in there
            )
            if len(there) == len(parts):  # else they were numbered by an earlier run
                check_rejected(result, rows)
        self._remove_rejects_but(phase, results)

    def _remove_rejects_but(self, phase: str, results: Sequence[UnitResult]) -> None:
        """Of units that are no part of the run any more, no rejects stay."""
        if self.folder is None:
            return
        named = {output.name.rpartition("/")[2] for result in results for output in result.outputs}
        for name in self.folder.names("rejects"):
            base = name.rpartition("/")[2]
            if base.startswith(f"{phase}-") and base not in named:
                self.folder.remove(name)


def first_rows(units: Sequence[Unit], results: Sequence[UnitResult]) -> dict[tuple[str, int], int | None]:
    """Physical records before each range of each file, by encoded name and ordinal.

    None where a range of the file before it could not be read.
    """
    by_unit = {result.unit_id: result for result in results}
    first: dict[tuple[str, int], int | None] = {}
    so_far: dict[str, int | None] = {}
    for unit in units:
        if unit.id not in by_unit:
            so_far |= {encode_name(r.file.name): None for group in unit.groups for r in group}
            continue
        for tally in by_unit[unit.id].tallies:
            name = encode_name(tally.name)
            before = first[name, tally.ordinal] = so_far.get(name, 0)
            so_far[name] = None if before is None else before + tally.records
    return first


def refuse_overlap(output: Place, inputs: Sequence[Any], what: str = "output") -> None:
    """Refuse an output that lies in the input, or an input that lies in the output.

    Args:
        output: where the run writes.
        inputs: paths, globs, URLs.
        what: of the output, for the message.

    Raises:
        ConfigurationError: they overlap.
    """
    if isinstance(output, Url):
        _refuse_overlap_in_store(output, inputs, what)
        return
    target = output.resolve()
    for given in inputs:
        text = str(given).removeprefix("file://")
        if "://" in text:
            continue
        source = Path(text).resolve()
        if target == source or _reaches(source, target):
            raise ConfigurationError(
                f"the {what} {output} lies in the input {text}: choose a folder outside it"
            )
        if source.is_relative_to(target):
            raise ConfigurationError(f"the input {text} lies in the {what} {output}: choose another {what}")


def _refuse_overlap_in_store(output: Url, inputs: Sequence[Any], what: str) -> None:
    """The same by the prefixes: objects have no links."""
    target = f"{output}/"
    for given in inputs:
        source = f"{str(given).rstrip('/')}/"
        fixed = source[: _first_wildcard(source)]
        if target.startswith(fixed) and "://" in source:
            raise ConfigurationError(
                f"the {what} {redact(str(output))} lies in the input {redact(str(given))}: "
                "choose a prefix outside it"
            )
        if source.startswith(target):
            raise ConfigurationError(
                f"the input {redact(str(given))} lies in the {what} {redact(str(output))}: "
                f"choose another {what}"
            )


def _first_wildcard(pattern: str) -> int:
    return min((at for sign in "*?[" if (at := pattern.find(sign)) >= 0), default=len(pattern))


def _reaches(source: Path, target: Path) -> bool:
    """Whether files in ``target`` would be read, were the input listed again."""
    if source.exists():
        return source.is_dir() and target.is_relative_to(source)
    for wanted, part in zip(source.parts, target.parts, strict=False):  # a glob
        if wanted == "**":
            return True
        if not fnmatchcase(part, wanted):
            return False
    return True
