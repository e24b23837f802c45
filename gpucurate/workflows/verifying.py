"""From components of equal keys to clusters of pairs that were verified."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.candidates import find_candidates, write_candidates
from gpucurate.dedup.comparer import Comparer, ShingleComparer, SignatureComparer
from gpucurate.dedup.edge_file import write_edges
from gpucurate.dedup.key_file import KeySet, Layout
from gpucurate.dedup.key_runs import key_runs
from gpucurate.dedup.linkage import Choose, link
from gpucurate.dedup.pair_table import PairTable
from gpucurate.dedup.similarity import Similarities
from gpucurate.dedup.sketch import MinHashSketch
from gpucurate.dedup.survivors import Clusters
from gpucurate.dedup.text_store import TextSet
from gpucurate.dedup.verification import Verification
from gpucurate.dedup.verify import verified_components
from gpucurate.disk.files import fsync_folder
from gpucurate.pipeline.run import Run
from gpucurate.pipeline.verdict import raise_set_aside
from gpucurate.planning.fingerprint import digest
from gpucurate.planning.units import make_units
from gpucurate.spec.bytesize import MIB
from gpucurate.stages.deduplication.texts import text_file_name
from gpucurate.workflows.compiling import prepare_comparison
from gpucurate.workflows.found import Found
from gpucurate.workflows.index import Against
from gpucurate.workflows.passes import Passes, plan_of

LEAST_BATCH, MOST_BATCH = 1 * MIB, 16 * MIB
"""Bytes of what is compared that a thread holds; a single pair may be more."""

RUNS_SHARE = 8
"""Pairs of key and document get one part in so many of what the run may use."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verifying:
    """Verifies the pairs of one run.

    Attributes:
        run: the run.
        folder: its folder.
        found: what the first pass left.
        passes: makes the pass over the texts.
        sketch: shingles, and what text they are taken of.
        layout: of the key files.
        verification: settings.
        against: indexes, whose documents come before those of the run; with signatures if there are any.
    """

    run: Run
    folder: RunFolder
    found: Found
    passes: Passes
    sketch: MinHashSketch
    layout: Layout
    verification: Verification
    against: Against

    @property
    def keys(self) -> KeySet:
        """Of the documents of indexes and, after them, those of the run."""
        return self.against.with_new(self.found.keys)

    def clusters(self, labels: npt.NDArray[np.uint32], choose: Choose) -> Clusters:
        """Clusters of verified pairs, with the similarity of each member to its survivor.

        Writes the accepted pairs to ``edges/`` of the run folder and enters figures in the report.

        Args:
            labels: uint32[records], of the components of equal keys, those of indexes included.
            choose: from labels to clusters with survivors.

        Raises:
            GpucurateError: the texts could not be read again, or something not be written.
        """
        candidates = find_candidates(labels)
        del labels
        comparer = self._comparer(candidates)
        self.run.executor.close()  # what idle workers hold is needed; others follow for the last pass
        began = time.monotonic()
        table = PairTable(self.folder.writable("scratch/pairs"))
        with Similarities(comparer, table, **self._shares()) as similarities:
            clusters = self._verified(candidates, similarities, choose)
        self.run.timed("verify", time.monotonic() - began)
        return clusters

    def _verified(self, candidates: Mask, similarities: Similarities, choose: Choose) -> Clusters:
        runs = key_runs(self.keys, self.sketch.bands, candidates, self.run.executor.memory // RUNS_SHARE)
        records, threshold = self.keys.records, self.verification.least
        verified = verified_components(records, runs, similarities, threshold)
        compared = len(similarities.table)
        accepted = write_edges(
            self.folder.writable("edges"), similarities.table, threshold, self.against.documents
        )
        fsync_folder(self.folder.path / "edges")
        self.run.report.details["verification"] = {
            "verify": self.verification.verify,
            "threshold": threshold,
            "linkage": self.verification.linkage,
            "compared": compared,
            "accepted": accepted,
            "rejected": compared - accepted,
            "discarded": verified.discarded,
        }
        return link(verified.labels, choose, similarities, self.verification, self.against.documents)

    def _shares(self) -> dict[str, int]:
        threads = self.run.executor.workers
        share = self.run.executor.memory // (8 * threads)
        return {"threads": threads, "batch_bytes": max(LEAST_BATCH, min(MOST_BATCH, share))}

    def _comparer(self, candidates: Mask) -> Comparer:
        if self.verification.verify == "estimate":
            return SignatureComparer(self.keys, self.layout)
        prepare_comparison(self.run.observer)
        return ShingleComparer(self._texts(candidates), self.sketch.params)

    def _texts(self, candidates: Mask) -> TextSet:
        """Read the texts of candidates again, and keep them on disk."""
        folder = self.folder.writable("scratch/candidates")
        bases = self.found.keys.bases
        wanted = set(write_candidates(folder, candidates, bases))
        stages = self.passes.texts(self.sketch, folder)
        missing = [unit.id for unit in self.found.units if unit.id not in self.found.read]
        # Without some units there are other candidates.
        name = f"texts-without-{digest(missing)[:8]}" if missing else "texts"
        plan = plan_of(name, stages, after=self.found.following)
        again = make_units(plan, [group for unit in self.found.units for group in unit.groups])
        units = [unit for unit in again if unit.index in wanted]
        if units:
            outcome = self.run.phase(plan, stages, units)
            if outcome.quarantined:
                self.run.close_report([])
                raise_set_aside(self.run.report)
        return TextSet(self._paths(len(again), wanted), bases)

    def _paths(self, units: int, wanted: set[int]) -> Sequence[Any]:
        return [
            self.folder.final_path(text_file_name(unit)) if unit in wanted else None for unit in range(units)
        ]
