"""What a deduplication gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.dedup.cut_file import SCHEMA as CUTS
from gpucurate.spec.place import Place
from gpucurate.telemetry.report import RunReport


@dataclass(frozen=True, slots=True)
class WorkflowRunResult:
    """A finished deduplication.

    Attributes:
        output: folder of the kept documents, or its URL.
        state: the run folder, with clusters, rejects and report; of a run to a store its copy here.
        report: books, times, figures.
        was_finished: whether an earlier run had done everything.
    """

    output: Place
    state: Path
    report: RunReport
    was_finished: bool = False

    @property
    def clusters_path(self) -> Path:
        """Folder of the cluster artefact, Parquet."""
        return self.state / "clusters"

    @property
    def cuts_path(self) -> Path:
        """Folder of the cuts artefact of lines or paragraphs, if it was asked for."""
        return self.state / "cuts"

    def clusters(self) -> pa.Table:
        """All rows of the cluster artefact: one a document that has duplicates."""
        parts = sorted(self.clusters_path.glob("*.parquet"))
        return pa.concat_tables([_read(part) for part in parts])

    def cuts(self) -> pa.Table:
        """All rows of the cuts artefact: one a segment that was cut."""
        parts = sorted(self.cuts_path.glob("*.parquet"))
        return pa.concat_tables([_read(part) for part in parts]) if parts else CUTS.empty_table()

    @property
    def metadata(self) -> dict[str, Any]:
        """The report as plain values."""
        return self.report.to_dict()


def _read(part: Path) -> pa.Table:
    with part.open("rb") as file:  # pyarrow takes some paths for URIs, and not all names
        return pq.read_table(file)
