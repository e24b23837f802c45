"""The report of a run: books, figures of stages, times."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gpucurate.spec.books import Books
from gpucurate.spec.decision import Decision
from gpucurate.spec.figures import NOTHING, Collected
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.spec.unit import UnitResult


@dataclass(slots=True)
class PhaseReport:
    """Figures of one phase.

    Attributes:
        name: of the phase.
        seconds: wall time.
        units: units committed; ``resumed_units`` of them by an earlier run.
        input_bytes: bytes of the input that were read.
        retries: tries beyond the first.
        peak_bytes_in_flight: most bytes that units in work were taken to hold.
        stages: figures of each stage, in order.
        edge_peaks: the most bytes that waited between each two segments.
        first_commit_s: seconds until the first unit was final.
        busy_seconds: what workers of each segment took for its units.
        decisions: what the scheduler decided, and why.
        collected: what workers gave back of their memory between units, and what that took.
    """

    name: str
    seconds: float
    units: int = 0
    resumed_units: int = 0
    input_bytes: int = 0
    retries: int = 0
    peak_bytes_in_flight: int = 0
    stages: list[StagePerfStats] = field(default_factory=list)
    edge_peaks: list[int] = field(default_factory=list)
    first_commit_s: float | None = None
    busy_seconds: list[float] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    collected: Collected = NOTHING

    def describe(self) -> str:
        """What happened, in lines: a head, and each decision with the old value, the new one, and why."""
        resumed = f" ({self.resumed_units:,} of them by an earlier run)" if self.resumed_units else ""
        head = (
            f"{self.name}: {self.units:,} units{resumed} in {self.seconds:.1f} s, {self.retries} tried again"
        )
        return "\n".join([head, *(f"  {decision}" for decision in self.decisions)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "seconds": round(self.seconds, 3),
            "units": self.units,
            "resumed_units": self.resumed_units,
            "input_bytes": self.input_bytes,
            "retries": self.retries,
            "peak_bytes_in_flight": self.peak_bytes_in_flight,
            "stages": [stats.to_dict() for stats in self.stages],
            "edge_peaks": self.edge_peaks,
            "first_commit_s": None if self.first_commit_s is None else round(self.first_commit_s, 3),
            "busy_seconds": [round(seconds, 3) for seconds in self.busy_seconds],
            "decisions": [decision.to_dict() for decision in self.decisions],
            "collected": {
                "count": self.collected.count,
                "seconds": round(self.collected.seconds, 3),
                "bytes": self.collected.nbytes,
            },
        }


@dataclass(slots=True)
class RunReport:
    """What a run did.

    Attributes:
        name: of the pipeline or workflow.
        executor: what carried it out, with its settings.
        started: UTC, ISO 8601.
        seconds: wall time of this run.
        books: documents read, kept, dropped, rejected.
        phases: in order.
        counts: what stages counted with ``self.count``, over all phases.
        reduced: global figures of reduce stages, by name of the stage.
        input_bytes: size of the input.
        output_files: files written.
        output_bytes: their size.
        ignored: files that were passed over, with the reason.
        warnings: sentences about the input.
        quarantined: units set aside, with the reason.
        peak_memory_bytes: proportional set size of the process tree at its highest.
        details: figures of the workflow's own, such as clusters.
    """

    name: str
    executor: str = ""
    started: str = field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    )
    seconds: float = 0.0
    books: Books = field(default_factory=Books)
    phases: list[PhaseReport] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reduced: dict[str, Any] = field(default_factory=dict)
    input_bytes: int = 0
    output_files: int = 0
    output_bytes: int = 0
    ignored: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    peak_memory_bytes: int = 0
    details: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        """What became of the documents and happened in each phase, in lines.

        Of a phase: what was decided, the old value and the new one, and why.
        """
        head = f"{self.name!r} on {self.executor}: {self.seconds:.1f} s"
        return "\n".join([head, self.books.describe(), *(phase.describe() for phase in self.phases)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "executor": self.executor,
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "input_bytes": self.input_bytes,
            "output_files": self.output_files,
            "output_bytes": self.output_bytes,
            "bytes_per_second": round(self.input_bytes / self.seconds) if self.seconds else None,
            "peak_memory_bytes": self.peak_memory_bytes,
            "books": self.books.to_dict(),
            "counts": dict(sorted(self.counts.items())),
            "reduced": dict(sorted(self.reduced.items())),
            "phases": [phase.to_dict() for phase in self.phases],
            "warnings": self.warnings,
            "ignored_files": len(self.ignored),
            "ignored": [list(entry) for entry in self.ignored[:100]],
            "quarantined": self.quarantined,
            **self.details,
        }


def report_from_dict(values: dict[str, Any]) -> RunReport:
    """The report of an earlier run, from its ``report.json``; phases are left in ``details``."""
    known = {"name", "executor", "started", "seconds", "input_bytes", "output_files", "output_bytes"}
    report = RunReport(**{key: values[key] for key in known})
    report.books = Books.from_dict(values["books"])
    report.counts = Counter(values["counts"])
    report.reduced = values.get("reduced", {})  # reports of version 0.1 have none
    report.peak_memory_bytes = values["peak_memory_bytes"]
    report.quarantined = values["quarantined"]
    report.warnings = values["warnings"]
    report.ignored = [(path, reason) for path, reason in values["ignored"]]
    report.details = {
        key: value for key, value in values.items() if key not in report.to_dict() or key == "phases"
    }
    return report


def sum_stages(results: Iterable[UnitResult]) -> list[StagePerfStats]:
    """Figures of each stage summed over units; each unit counts once, however often it was tried."""
    total: list[StagePerfStats] = []
    for result in results:
        for at, stats in enumerate(result.stages):
            if at == len(total):
                total.append(StagePerfStats(stats.stage_name))
            total[at].add(stats)
    return total


def sum_books(results: Iterable[UnitResult]) -> Books:
    """Books summed over units."""
    total = Books()
    for result in results:
        total.add(result.books)
    return total
