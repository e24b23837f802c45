"""Deduplication in phases: keys, components, clusters, output.

1. ``keys``: read the text, take its keys, write them to one file a unit.
2. ``group``: equal keys to components, in this process, band by band.
3. ``clusters``: which member survives, and the cluster artefact.
4. ``write``: copy the records that are kept.

Detection is an artefact; what is done with it is a step of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from gpucurate.backends.chain import Stage
from gpucurate.backends.driver import Outcome
from gpucurate.backends.executors import Executor, default_executor
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.resume import Mode, Resume
from gpucurate.checkpoint.run_folder import RunFolder, state_folder
from gpucurate.dedup.cluster_file import write_clusters
from gpucurate.dedup.components import Ids, find_components, plan_budget
from gpucurate.dedup.index_against import leave_out_old, let_old_survive
from gpucurate.dedup.index_hits import HITS, write_hits
from gpucurate.dedup.index_sketch import sketch_identity
from gpucurate.dedup.marks import Marks
from gpucurate.dedup.memory_needed import ARRAYS_SHARE
from gpucurate.dedup.no_sketch import NoSketch
from gpucurate.dedup.record_memory import record_bytes, refuse_more_records
from gpucurate.dedup.sketch import Sketch
from gpucurate.dedup.survivors import Clusters, choose
from gpucurate.dedup.verification import NOT_VERIFIED, Verification
from gpucurate.io.limits import ReadLimits
from gpucurate.io.listing import Listing, list_input
from gpucurate.io.output_name import check_output_names
from gpucurate.io.schema import schema_names
from gpucurate.pipeline.devices import require_cuda
from gpucurate.pipeline.run import Run, refuse_overlap
from gpucurate.pipeline.verdict import check_rejects, judge
from gpucurate.planning.fingerprint import digest
from gpucurate.planning.units import make_units
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.spec.names import RESERVED_PREFIX, encode_name
from gpucurate.spec.place import Place, Url, local_folder, place_of
from gpucurate.spec.plan import Plan
from gpucurate.spec.progress import Observer, Silent
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.telemetry.memory_watch import MemoryWatch
from gpucurate.telemetry.report import report_from_dict, sum_books
from gpucurate.workflows.compiling import prepare
from gpucurate.workflows.fitting import Amounts, fitting
from gpucurate.workflows.found import Found
from gpucurate.workflows.gpu_grouping import components_on_gpus
from gpucurate.workflows.index import IN_INDEX, Against, SavedIndex
from gpucurate.workflows.largest import largest_clusters
from gpucurate.workflows.nemo_ids import write_nemo_ids
from gpucurate.workflows.notes import name_sampled_bytes, without_values
from gpucurate.workflows.options import DedupOptions
from gpucurate.workflows.passes import Passes, plan_of
from gpucurate.workflows.result import WorkflowRunResult
from gpucurate.workflows.unique_ids import refuse_equal_ids


class DeduplicationWorkflow:
    """Finds documents that share a key, and keeps one of each cluster.

    Args:
        name: for the report and the run folder.
        input_path: files, folders, globs or URLs.
        output_path: folder of the output, or the URL of one in a store.
        sketch: what is taken of a text.
        options: everything else.

    Raises:
        ConfigurationError: options that contradict each other, or that an output in a store does not go with.
        InputError: an input that is an empty string.
    """

    def __init__(
        self,
        name: str,
        input_path: str | PathLike[str] | Sequence[str | PathLike[str]],
        output_path: str | PathLike[str],
        sketch: Sketch,
        options: DedupOptions,
    ) -> None:
        self.name = name
        self.inputs = [input_path] if isinstance(input_path, str | PathLike) else list(input_path)
        if not all(map(os.fspath, self.inputs)):
            raise InputError("an empty path was given as input: name files, folders, globs or URLs")
        self.output = place_of(output_path)
        refuse_on_url(self.output, options)
        self.sketch = sketch
        self.options = options

    @cached_property
    def listing(self) -> Listing:
        """The input, listed when first asked for.

        Raises:
            InputError: no input.
        """
        options = self.options
        return list_input(self.inputs, format=options.input_filetype, follow_external=options.follow_external)

    @cached_property
    def passes(self) -> Passes:
        """What makes the stages of each pass."""
        return Passes(self.inputs, self.listing, self.output, self.options)

    @cached_property
    def against(self) -> Against:
        """The indexes that documents are held against, opened when first asked for.

        Raises:
            ConfigurationError: no index.
            StorageError: a damaged one.
        """
        return Against.open(self.options.against)

    @property
    def state(self) -> Path:
        """Folder of the run's state."""
        return state_folder(self.output, self.options.state_path)

    @property
    def saving(self) -> SavedIndex | None:
        """The index that the run is to leave, if any."""
        folder = self.options.save_index
        return None if folder is None else SavedIndex(Path(folder), self.state)

    def survey(self) -> tuple[Listing, Plan, Sequence[Unit]]:
        """List the input, check its columns and plan the first phase; writes nothing.

        Raises:
            InputError: no input.
            ConfigurationError: the column of text is not there, the output overlaps the input, or
                an index does not fit.
            OutputInUseError: the folder for an index holds something.
        """
        if self.options.device == "cuda":
            require_cuda()
        refuse_overlap(self.output, self.inputs)
        self._check_indexes()
        if self.options.state_path is not None:
            refuse_overlap(self.options.state_path, self.inputs, "checkpoint_path")
        if self.options.annotate:
            refuse_reserved(self.listing)
        stages = self._key_stages()
        plan = plan_of("keys", stages)
        units = make_units(plan, stages[0].partition())
        if self.options.writes:
            ranges = (r for unit in units for group in unit.groups for r in group)
            check_output_names(ranges, self.options.format, self.options.compression)
        return self.listing, plan, units

    @property
    def _comparing(self) -> Verification:
        """How pairs are verified."""
        return NOT_VERIFIED

    @property
    def _identity(self) -> dict[str, Any]:
        """What keys are taken by, in an index."""
        return {**sketch_identity(self.sketch), "within": self.options.within}

    def _check_indexes(self) -> None:
        self.against.check(self._identity, self._comparing)
        if self.saving is not None:
            refuse_overlap(self.saving.folder, self.inputs, "index")
            output = local_folder(self.output, "the output of a run that saves an index")
            self.saving.refuse_overlap([output, self.state, *map(Path, self.options.against)])
            self.saving.check(is_finished=(self.state / "_SUCCESS").exists())

    def run(
        self,
        executor: Executor | None = None,
        observer: Observer | None = None,
        watch: MemoryWatch | None = None,
        *,
        resume: Mode = "auto",
        take_over: bool = False,
    ) -> WorkflowRunResult:
        """Run all phases, or what an earlier run left undone of them.

        Args:
            executor: carries the phases out; local for inputs from 64 MiB on if None.
            observer: is told of progress.
            watch: samples memory, if the caller has one.
            resume: ``auto`` goes on with an earlier run, and refuses another input or other options;
                ``changed`` keeps what still holds and does the rest; ``fresh`` begins anew.
            take_over: take the folder from an owner that is not known to be alive.

        Raises:
            GpucurateError: see its subclasses; each says what to do.
        """
        listing, plan, units = self.survey()
        executor = executor or default_executor(sum(unit.est_bytes for unit in units))
        # Keys of a GPU need none of the CPU's kernels for them.
        prepare(observer or Silent(), NoSketch() if self.options.device == "cuda" else self.sketch)
        state, saving = self.options.state_path, self.saving
        wanted = Resume(resume, take_over)
        with RunFolder(self.output, self.name, self._decides(plan), state, wanted) as folder:
            if folder.is_finished:
                Phase(folder, plan, units)  # refuses another input
                if self._is_whole(folder) and (saving is None or saving.was_saved):
                    report = report_from_dict(folder.read_json("report.json"))
                    return WorkflowRunResult(self.output, folder.path, report, was_finished=True)
                if saving is not None:
                    saving.check(is_finished=False)
                folder.reopen()  # what is missing is made again
            with Run(self.name, executor, folder, observer, watch) as run:
                run.report.ignored = list(listing.ignored)
                run.report.warnings = list(listing.warnings)
                run.report.input_bytes = sum(file.size for file in listing.files)
                self._phases(run, folder, plan, units)
            folder.finish()
            return WorkflowRunResult(self.output, folder.path, run.report)

    def _is_whole(self, folder: RunFolder) -> bool:
        """Whether a run has finished, and nothing of what it found is gone since."""
        return folder.is_finished and all(folder.fetch(name) for name in self._artefacts)

    @property
    def _artefacts(self) -> tuple[str, ...]:
        """What of the run folder is a result, besides the files of the manifest."""
        return ("clusters", HITS) if self.against.indexes else ("clusters",)

    def _decides(self, plan: Plan) -> dict[str, Any]:
        """Everything that changes results."""
        return {"keys": plan.decides, **self.options.decides(), **self.against.decides()}

    def _phases(self, run: Run, folder: RunFolder, plan: Plan, units: Sequence[Unit]) -> None:
        found = self._first_pass(run, folder, plan, units)
        clusters = self._detect(run, folder, found)
        self._write_clusters(run, folder, found, clusters)
        results: Sequence[UnitResult] = []
        if self.options.writes:
            results = self._write(run, folder, found, clusters)
        else:
            books = run.report.books
            books.kept = books.read - books.total_rejected - books.total_dropped
            if self.options.nemo_ids:
                output = local_folder(self.output, "the output of nemo_ids")
                files = write_nemo_ids(output, self._sort, found, clusters, books.blank)
                results = [UnitResult("nemo-ids", files)]
        run.close_report(results)
        judge(run.report, self.options.max_reject_rate)
        if self.saving is not None:
            self._save_index(run, self.saving, found, clusters)
            run.close_report(results)

    @property
    def _sort(self) -> str:
        """``exact`` or ``fuzzy``."""
        return self.name.rpartition(" ")[2]

    def _save_index(self, run: Run, saving: SavedIndex, found: Found, clusters: Clusters) -> None:
        """Leave the keys of what is kept; only once everything is, since others will be dropped for it."""
        began = time.monotonic()
        index = saving.save(self._identity, found, clusters)
        run.report.details["index"] = {
            "folder": encode_name(str(saving.folder)),
            "documents": index.documents,
            "fingerprint": index.fingerprint,
        }
        run.timed("index", time.monotonic() - began)

    def _first_pass(self, run: Run, folder: RunFolder, plan: Plan, units: Sequence[Unit]) -> Found:
        """Read the text and take its keys."""
        outcome = run.phase(plan, self._key_stages(), units)
        run.report.books = sum_books(outcome.results)
        run.report.warnings += without_values(run.report.counts)
        run.number_rejects(plan.name, units, outcome.results)
        try:
            check_rejects(run.report.books, self.options.max_reject_rate)
        except Exception:
            run.close_report([])
            raise
        found = Found.of(folder, units, outcome)
        found = fitting(run, folder, found, self._amounts(run, found), self.options.on_infeasible)
        if self.passes.ids is not None:
            limits = ReadLimits(**self.options.read_kwargs())
            refuse_equal_ids(run, folder, units, found.outcome, field=self.passes.ids, limits=limits)
        return found

    def _amounts(self, run: Run, found: Found) -> Amounts:
        """What takes memory once keys are grouped."""
        old, memory = self.against.documents, run.executor.memory
        each = record_bytes(self.options.keep, self._comparing, has_index=bool(self.against.indexes))
        # On GPUs keys are grouped in their memory; and where nothing is sampled, grouping says no by itself.
        plans = self.options.device == "cpu" and self.options.on_infeasible == "sample"

        def refuse(records: int) -> None:
            refuse_more_records(old + records, each, memory)
            if plans:
                words = 2 if self.sketch.wide else 1
                plan_budget(old + records, old + records, words, memory, 1, share=ARRAYS_SHARE)

        return Amounts("records", np.diff(found.keys.bases).tolist(), refuse)

    def _key_stages(self) -> list[Any]:
        """The stages of the first pass."""
        return self.passes.keys(self.sketch)

    def _detect(self, run: Run, folder: RunFolder, found: Found) -> Clusters:
        """From keys to clusters with their survivors."""
        began = time.monotonic()
        labels = self._components(run, folder, found)
        if self.options.device == "cuda":  # a phase of its own, which has been timed
            began = time.monotonic()
        clusters = self._of_new(self._choose(labels, found), folder)
        run.timed("survivors" if self.options.device == "cuda" else "group", time.monotonic() - began)
        return clusters

    def _components(self, run: Run, folder: RunFolder, found: Found) -> Ids:
        """The component of equal keys of each record, after those of the documents of indexes."""
        keys = self.against.with_new(found.keys)
        if self.options.device == "cuda":
            return components_on_gpus(run, folder, keys, self.sketch, found.following)
        return find_components(
            keys,
            self.sketch.bands,
            wide=self.sketch.wide,
            memory=run.executor.memory,
            threads=run.executor.workers,
            scratch=folder.writable("scratch/group"),
            share=ARRAYS_SHARE,
            saved=found.forest,
        )

    def _choose(self, labels: Ids, found: Found) -> Clusters:
        """Clusters with survivors, of the documents of indexes and, after them, those of the run."""
        clusters = choose(labels, self.against.after_old(found.keys), self.options.keep)
        let_old_survive(clusters, self.against.documents)
        return clusters

    def _of_new(self, clusters: Clusters, folder: RunFolder) -> Clusters:
        """Clusters of the documents of the run; what old ones are in them goes to the run folder."""
        if not self.against.indexes:
            return clusters
        clusters, members = leave_out_old(clusters, self.against.documents)
        write_hits(folder.writable(HITS), self.against.files, members)
        return clusters

    def _write_clusters(self, run: Run, folder: RunFolder, found: Found, clusters: Clusters) -> None:
        began = time.monotonic()
        rows = write_clusters(folder.writable("clusters"), found.spans, clusters, folder.store.later)
        limits = self.passes.reader([self.options.text_field], keep_original=False).limits
        text_field = self.options.text_field if self.options.log_text else None
        run.report.details["clusters"] = {
            "count": clusters.count,
            "documents": rows,
            "duplicates": clusters.duplicates,
            "largest": largest_clusters(found, clusters, text_field, limits),
        }
        if self.against.indexes:
            run.report.details["against"] = self.against.report(clusters)
        run.timed("clusters", time.monotonic() - began)

    def _write(self, run: Run, folder: RunFolder, found: Found, clusters: Clusters) -> Sequence[UnitResult]:
        """Copy what is kept; enter what became of the documents that were read."""
        marks = Marks(folder.writable("scratch/marks"))
        marks.write(found.keys, clusters, found.range_records, with_labels=self.options.annotate)
        units, written = self._last_pass(run, found, self.passes.write(marks.folder))
        if self.options.sample is not None:
            name_sampled_bytes(run.report.counts)
        books = run.report.books
        books.kept = sum_books(written.results).kept
        if not self.options.annotate:
            books.dropped["duplicates"] = clusters.duplicates
            if clusters.in_index:
                books.dropped[IN_INDEX] = clusters.in_index
        books.quarantined += self._set_aside(marks, found, units, written)
        return written.results

    def _last_pass(self, run: Run, found: Found, stages: Sequence[Stage]) -> tuple[list[Unit], Outcome]:
        """Read the units again that the first pass read, and write the output."""
        missing = [unit.id for unit in found.units if unit.id not in found.read]
        # Without some units others survive: a run that has them after all writes everything anew.
        name = f"write-without-{digest(missing)[:8]}" if missing else "write"
        plan = plan_of(name, stages, after=found.following)
        again = make_units(plan, [group for unit in found.units for group in unit.groups])
        units = [unit for unit, was in zip(again, found.units, strict=True) if was.id in found.read]
        return units, run.phase(plan, stages, units)

    def _set_aside(self, marks: Marks, found: Found, units: Sequence[Unit], written: Outcome) -> int:
        """Documents that should have been written, of units that could not be."""
        wanted = marks.accepted if self.options.annotate else marks.kept
        done = {result.unit_id for result in written.results}
        bases = found.keys.bases
        lost = (np.arange(bases[u.index], bases[u.index + 1]) for u in units if u.id not in done)
        return sum(int(np.count_nonzero(wanted(ids))) for ids in lost)


def refuse_on_url(output: Place, options: DedupOptions) -> None:
    """Refuse what needs folders of this machine, where the output is a URL.

    Raises:
        ConfigurationError: an option that does.
    """
    _ = options.state_path
    if isinstance(output, Url):
        needing = [name for name in ("save_index", "nemo_ids") if getattr(options, name)]
        if needing:
            raise ConfigurationError(
                f"{' and '.join(needing)} write to a folder of this machine, and the output {output} "
                "is a URL: give a folder as output, and copy from there"
            )


def refuse_reserved(listing: Listing) -> None:
    """Refuse input whose first file has fields that are to be added.

    Raises:
        ConfigurationError: it has.
    """
    for file in listing.files[:1]:
        clash = [name for name in schema_names(file) or () if name.startswith(RESERVED_PREFIX)]
        if clash:
            raise ConfigurationError(
                f"{file.name} has {', '.join(clash)} already: names that begin with {RESERVED_PREFIX} "
                "are those that --annotate adds; rename them first"
            )
