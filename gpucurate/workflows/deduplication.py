"""Deduplication in phases: keys, components, clusters, output.

1. ``keys``: read the text, take its keys, write them to one file a unit.
2. ``group``: equal keys to components, in this process, band by band.
3. ``clusters``: which member survives, and the cluster artefact.
4. ``write``: copy the records that are kept.

Detection is an artefact; what is done with it is a step of its own.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from gpucurate.backends.chain import Stage
from gpucurate.backends.driver import Outcome
from gpucurate.backends.executors import Executor, default_executor
from gpucurate.checkpoint.durable import fsync_folder
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.cluster_file import FileSpan, write_clusters
from gpucurate.dedup.components import find_components
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.marks import Marks
from gpucurate.dedup.sketch import Sketch
from gpucurate.dedup.survivors import Clusters, choose
from gpucurate.io.listing import Listing, list_input
from gpucurate.io.output_name import check_output_names
from gpucurate.io.schema import schema_names
from gpucurate.pipeline.run import Run, first_rows, refuse_overlap
from gpucurate.pipeline.verdict import check_rejects, judge
from gpucurate.planning.fingerprint import digest
from gpucurate.planning.planner import make_plan
from gpucurate.planning.units import make_units
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.spec.names import RESERVED_PREFIX, encode_name
from gpucurate.spec.plan import Plan
from gpucurate.spec.progress import Observer, Silent
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import Unit
from gpucurate.stages.deduplication.keys import DocumentKeys, key_file_name
from gpucurate.stages.deduplication.removal import DuplicateAnnotation, DuplicateRemoval
from gpucurate.stages.specification import specify
from gpucurate.stages.text.io.reader import DocumentReader
from gpucurate.stages.text.io.writer import DocumentWriter
from gpucurate.telemetry.memory_watch import MemoryWatch
from gpucurate.telemetry.report import report_from_dict, sum_books
from gpucurate.workflows.compiling import prepare
from gpucurate.workflows.examples import first_line, locate
from gpucurate.workflows.options import DedupOptions
from gpucurate.workflows.result import WorkflowRunResult

PIECE_BYTES = 16 * MIB
"""Documents pass through in pieces of so much input, whatever the size of a unit."""

SHOWN_CLUSTERS = 5

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # of one slash, since a Path has none twice


@dataclass(slots=True)
class _Found:
    """What the phases hand on."""

    keys: KeySet
    units: Sequence[Unit]
    outcome: Outcome
    spans: list[FileSpan] = field(default_factory=list)
    ranges: list[FileRange] = field(default_factory=list)
    write_units: list[Unit] = field(default_factory=list)


class DeduplicationWorkflow:
    """Finds documents that share a key, and keeps one of each cluster.

    Args:
        name: for the report and the run folder.
        input_path: files, folders, globs or URLs.
        output_path: folder of the output.
        sketch: what is taken of a text.
        options: everything else.

    Raises:
        ConfigurationError: options that contradict each other, or an output that is a URL.
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
        if _URL.match(os.fspath(output_path)):
            raise ConfigurationError(
                f"the output {output_path} is a URL: give a folder of this machine, and copy from there"
            )
        self.output = Path(output_path)
        self.sketch = sketch
        self.options = options

    @cached_property
    def listing(self) -> Listing:
        """The input, listed when first asked for.

        Raises:
            InputError: no input.
        """
        return list_input(self.inputs, format=self.options.input_filetype)

    def survey(self) -> tuple[Listing, Plan, Sequence[Unit]]:
        """List the input, check its columns and plan the first phase; writes nothing.

        Raises:
            InputError: no input.
            ConfigurationError: the column of text is not there, or the output overlaps the input.
        """
        refuse_overlap(self.output, self.inputs)
        if self.options.cache_path is not None:
            refuse_overlap(Path(self.options.cache_path), self.inputs, "cache_path")
        if self.options.annotate:
            refuse_reserved(self.listing)
        stages = self._key_stages(self.listing)
        plan = self._plan("keys", stages)
        units = make_units(plan, stages[0].partition())
        if self._writes:
            ranges = (r for unit in units for group in unit.groups for r in group)
            check_output_names(ranges, self.options.format, self.options.compression)
        return self.listing, plan, units

    def run(
        self,
        executor: Executor | None = None,
        observer: Observer | None = None,
        watch: MemoryWatch | None = None,
    ) -> WorkflowRunResult:
        """Run all phases, or those that an earlier run left undone.

        Args:
            executor: carries the phases out; local for inputs from 64 MiB on if None.
            observer: is told of progress.
            watch: samples memory, if the caller has one.

        Raises:
            GpucurateError: see its subclasses; each says what to do.
        """
        listing, plan, units = self.survey()
        executor = executor or default_executor(sum(unit.est_bytes for unit in units))
        prepare(observer or Silent())
        state = None if self.options.cache_path is None else Path(self.options.cache_path)
        decides = {"keys": plan.decides, **self.options.decides()}
        with RunFolder(self.output, self.name, decides, state) as folder:
            if folder.is_finished:
                Phase(folder, plan, units)  # refuses another input
                if folder.is_finished and folder.is_whole():
                    report = report_from_dict(folder.read_json("report.json"))
                    return WorkflowRunResult(self.output, folder.path, report, was_finished=True)
                folder.reopen()  # what is missing is made again
            with Run(self.name, executor, folder, observer, watch) as run:
                run.report.ignored = list(listing.ignored)
                run.report.warnings = list(listing.warnings)
                run.report.input_bytes = sum(file.size for file in listing.files)
                self._phases(run, folder, listing, plan, units)
            folder.finish()
            return WorkflowRunResult(self.output, folder.path, run.report)

    def _phases(
        self, run: Run, folder: RunFolder, listing: Listing, plan: Plan, units: Sequence[Unit]
    ) -> None:
        stages = self._key_stages(listing)
        outcome = run.phase(plan, stages, units)
        run.report.books = sum_books(outcome.results)
        run.number_rejects(plan.name, units, outcome.results)
        try:
            check_rejects(run.report.books, self.options.max_reject_rate)
        except Exception:
            run.close_report([])
            raise
        found = self._found(folder, units, outcome)
        clusters = self._group(run, found)
        self._write_clusters(run, folder, found, clusters)
        written = self._write(run, folder, listing, found) if self._writes else None
        if written is None:
            run.report.books.kept = run.report.books.read - run.report.books.total_rejected
        else:
            self._settle(run, folder, found, clusters, written)
        run.close_report(written.results if written else [])
        judge(run.report, self.options.max_reject_rate)

    @property
    def _writes(self) -> bool:
        return self.options.perform_removal or self.options.annotate

    def _group(self, run: Run, found: _Found) -> Clusters:
        began = time.monotonic()
        labels = find_components(
            found.keys,
            self.sketch.bands,
            wide=self.sketch.wide,
            memory=run.executor.memory // 2,
            threads=run.executor.workers,
        )
        clusters = choose(labels, found.keys, self.options.keep)
        run.timed("group", time.monotonic() - began)
        return clusters

    def _write_clusters(self, run: Run, folder: RunFolder, found: _Found, clusters: Clusters) -> None:
        began = time.monotonic()
        rows = write_clusters(folder.path / "clusters", found.spans, clusters)
        fsync_folder(folder.path / "clusters")
        if self._writes:
            tallies = [[tally.records for tally in result.tallies] for result in found.outcome.results]
            by_unit = dict(zip((result.unit_id for result in found.outcome.results), tallies, strict=True))
            records = [by_unit.get(unit.id, []) for unit in found.units]
            Marks(folder.scratch / "marks").write(
                found.keys, clusters, records, with_labels=self.options.annotate
            )
        run.report.details["clusters"] = {
            "count": clusters.count,
            "documents": rows,
            "duplicates": clusters.duplicates,
            "largest": self._largest(found, clusters),
        }
        run.timed("clusters", time.monotonic() - began)

    def _write(self, run: Run, folder: RunFolder, listing: Listing, found: _Found) -> Outcome:
        stages = self._write_stages(listing, folder)
        read = {result.unit_id for result in found.outcome.results}
        missing = [unit.id for unit in found.units if unit.id not in read]
        # Without some units others survive: a run that has them after all writes everything anew.
        plan = self._plan(f"write-without-{digest(missing)[:8]}" if missing else "write", stages)
        again = make_units(plan, [group for unit in found.units for group in unit.groups])
        found.write_units = [unit for unit, was in zip(again, found.units, strict=True) if was.id in read]
        return run.phase(plan, stages, found.write_units)

    def _settle(
        self, run: Run, folder: RunFolder, found: _Found, clusters: Clusters, written: Outcome
    ) -> None:
        """Enter what the passes after the reading did: duplicates, documents written, units set aside."""
        books = run.report.books
        books.kept = sum_books(written.results).kept
        if not self.options.annotate:
            books.dropped["duplicates"] = clusters.duplicates
        marks = Marks(folder.scratch / "marks")
        wanted = marks.accepted if self.options.annotate else marks.kept
        done = {result.unit_id for result in written.results}
        for unit in found.write_units:
            if unit.id not in done:
                ids = np.arange(found.keys.bases[unit.index], found.keys.bases[unit.index + 1])
                books.quarantined += int(np.count_nonzero(wanted(ids)))

    def _key_stages(self, listing: Listing) -> list[Any]:
        # Rows of Parquet that cannot be read whole must be known before survivors are chosen.
        whole = self._writes and any(file.format == "parquet" for file in listing.files)
        reader = self._reader(listing, fields=[self.options.text_field], keep_original=whole)
        return [reader, DocumentKeys(self.sketch, self.options.text_field)]

    def _write_stages(self, listing: Listing, folder: RunFolder) -> list[Any]:
        converts = any(self.options.format not in (None, file.format) for file in listing.files)
        reader = self._reader(listing, fields=None if converts else (), keep_original=not converts)
        mark = DuplicateAnnotation if self.options.annotate else DuplicateRemoval
        writer = DocumentWriter(self.output, format=self.options.format, compression=self.options.compression)
        return [reader, mark(folder.scratch / "marks"), writer]

    def _reader(self, listing: Listing, fields: Sequence[str] | None, keep_original: bool) -> DocumentReader:
        reader = DocumentReader(
            self.inputs,
            blocksize=self.options.input_blocksize,
            fields=fields,
            text_fields=(self.options.text_field,) if fields != () else (),
            read_kwargs=self.options.read_kwargs(),
            keep_original=keep_original,
            piece_bytes=PIECE_BYTES,
        )
        reader.use_listing(listing)
        return reader

    def _plan(self, phase: str, stages: Sequence[Stage]) -> Plan:
        return make_plan(phase, [specify(stage) for stage in stages])

    def _found(self, folder: RunFolder, units: Sequence[Unit], outcome: Outcome) -> _Found:
        by_unit = {result.unit_id: result for result in outcome.results}
        records = [sum(t.records for t in by_unit[u.id].tallies) if u.id in by_unit else 0 for u in units]
        paths = [folder.final_path(key_file_name(u.index)) if u.id in by_unit else None for u in units]
        bases = np.concatenate(([0], np.cumsum(records, dtype=np.int64))).astype(np.int64)
        found = _Found(KeySet(paths, bases), units, outcome)
        first = first_rows(units, outcome.results)
        next_id = 0
        sources = {(r.file.name, r.ordinal): r for unit in units for group in unit.groups for r in group}
        for result in outcome.results:
            for tally in result.tallies:
                name = encode_name(tally.name)
                found.spans.append(FileSpan(name, first[name, tally.ordinal], next_id, tally.records))
                found.ranges.append(sources[tally.name, tally.ordinal])
                next_id += tally.records
        return found

    def _largest(self, found: _Found, clusters: Clusters) -> list[dict[str, Any]]:
        bases = [span.first_id for span in found.spans]
        limits = self._reader(Listing((), ()), [self.options.text_field], keep_original=False).limits
        shown = []
        for label in clusters.largest(SHOWN_CLUSTERS):
            source, record = locate(int(clusters.survivors[label]), bases, found.ranges)
            span = found.spans[found.ranges.index(source)]
            shown.append(
                {
                    "cluster": int(label),
                    "size": int(clusters.sizes[label]),
                    "path": span.name,
                    "row": None if span.first_row is None else span.first_row + record,
                    "text": first_line(source, record, self.options.text_field, limits),
                }
            )
        return shown


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
