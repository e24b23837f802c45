"""Removal of documents by a list of ids: NeMo Curator's, or anybody's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from gpucurate.backends.executors import Executor, default_executor
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.resume import Mode, Resume
from gpucurate.checkpoint.run_folder import RunFolder, state_folder
from gpucurate.dedup.id_table import IdTable
from gpucurate.io.limits import ReadLimits
from gpucurate.io.listing import Listing, list_input
from gpucurate.io.output_name import check_output_names
from gpucurate.io.ranges import group_ranges
from gpucurate.pipeline.run import Run, refuse_overlap
from gpucurate.pipeline.verdict import DEFAULT_MAX_REJECT_RATE, check_reject_rate, judge
from gpucurate.planning.units import make_units
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.place import local_folder, place_of
from gpucurate.spec.plan import Plan
from gpucurate.spec.progress import Observer
from gpucurate.spec.source import FileFormat, FileRange
from gpucurate.spec.unit import Unit
from gpucurate.stages.deduplication.column_path import ColumnPath
from gpucurate.stages.deduplication.document_ids import DocumentIds
from gpucurate.stages.deduplication.id_batches import IdBatch, match_batches
from gpucurate.stages.deduplication.id_generator import CURATOR_DEDUP_ID_STR, IdGeneratorBase
from gpucurate.stages.deduplication.id_list import IdList
from gpucurate.stages.deduplication.removal_by_ids import WITHOUT_ID, RemovalByField, RemovalByPlace
from gpucurate.stages.text.io.reader import DocumentReader
from gpucurate.stages.text.io.writer import DocumentWriter, check_output_kind
from gpucurate.telemetry.memory_watch import MemoryWatch
from gpucurate.telemetry.report import report_from_dict, sum_books
from gpucurate.workflows.columns import find_column
from gpucurate.workflows.passes import PIECE_BYTES, plan_of
from gpucurate.workflows.result import WorkflowRunResult
from gpucurate.workflows.unique_ids import refuse_equal_ids

NAME = "dedup remove"


class TextDuplicatesRemovalWorkflow:
    """Removes the documents of a list, in one pass; the others are copied byte for byte.

    The ids of documents stand in a field of theirs, or follow from their place: NeMo Curator's id
    generator gives the rows of each batch of files consecutive ids. The list takes 16 bytes an id on
    disk, which the workers share, and about 70 in memory while it is sorted.

    Args:
        input_path: files, folders, globs or URLs.
        ids_to_remove_path: file, folder or glob of Parquet or JSON lines with a column of ids.
        output_path: folder of the output.
        input_filetype: ``jsonl`` or ``parquet``; by file names if None.
        id_field: field of a document's id, unless there is an id generator.
        input_blocksize: bytes a unit of work; with an id generator a unit is a batch of its.
        duplicate_id_field: column of the list; ``_curator_dedup_id``, ``id`` or the only one if None.
        id_generator_path: file of the id generator that the list's ids come from.
        output_filetype: of the output; the input's if None.
        compression: of the output; the input's if None.
        max_reject_rate: share of documents that may be unreadable.
        max_record_bytes: longer records are rejected; 32 MiB by default.
        on_corrupt: ``skip`` or ``fail`` on a broken file.
        encoding_errors: ``reject`` records that are not UTF-8, or ``replace`` such bytes by U+FFFD.
        follow_external: whether links are followed that lead out of a folder of the input.
        require_unique_ids: whether the run ends where an id of ``id_field`` comes twice in the input.
        checkpoint_path: where the state of the run lies, instead of ``_gpucurate/`` in the output.

    Raises:
        ConfigurationError: options that are not possible.

    >>> TextDuplicatesRemovalWorkflow("pages/", "FuzzyDuplicateIds/", "unique/", id_field="id").run()
    """

    name = NAME
    sketch = "none: documents are removed by their ids"

    def __init__(
        self,
        input_path: str | PathLike[str] | Sequence[str | PathLike[str]],
        ids_to_remove_path: str | PathLike[str],
        output_path: str | PathLike[str],
        input_filetype: FileFormat | None = None,
        *,
        id_field: str = CURATOR_DEDUP_ID_STR,
        input_blocksize: int | str | None = None,
        duplicate_id_field: str | None = None,
        id_generator_path: str | PathLike[str] | None = None,
        output_filetype: FileFormat | None = None,
        compression: str | None = None,
        max_reject_rate: float = DEFAULT_MAX_REJECT_RATE,
        max_record_bytes: int | None = None,
        on_corrupt: str = "skip",
        encoding_errors: str = "reject",
        follow_external: bool = False,
        require_unique_ids: bool = False,
        checkpoint_path: str | PathLike[str] | None = None,
    ) -> None:
        check_output_kind(output_filetype, compression)
        check_reject_rate(max_reject_rate)
        if require_unique_ids and id_generator_path is not None:
            raise ConfigurationError(
                "an id generator gives each document an id of its own, so there is nothing to compare: leave "
                "require_unique_ids (--require-unique-ids) out"
            )
        self.require_unique_ids = require_unique_ids
        self.inputs = [input_path] if isinstance(input_path, str | PathLike) else list(input_path)
        self.ids_path = ids_to_remove_path
        self.output = place_of(output_path)
        self.input_filetype = input_filetype
        self.id_field = id_field
        self.blocksize = input_blocksize
        self.duplicate_id_field = duplicate_id_field
        self.id_generator_path = id_generator_path
        self.format = output_filetype
        self.compression = compression
        self.max_reject_rate = max_reject_rate
        self.checkpoint_path: Path | None = None
        if checkpoint_path is not None:
            self.checkpoint_path = local_folder(place_of(checkpoint_path), "checkpoint_path")
        self.follow_external = follow_external
        self._read_kwargs: dict[str, Any] = {"on_corrupt": on_corrupt, "encoding_errors": encoding_errors}
        if max_record_bytes is not None:
            self._read_kwargs["max_record_bytes"] = max_record_bytes

    @cached_property
    def listing(self) -> Listing:
        """The input, listed when first asked for.

        Raises:
            InputError: no input.
        """
        return list_input(self.inputs, format=self.input_filetype, follow_external=self.follow_external)

    @cached_property
    def ids(self) -> IdTable:
        """The list, read when first asked for.

        Raises:
            InputError: there is none, or it cannot be read.
            ConfigurationError: it has no column of ids.
        """
        return IdTable.of(
            pa.concat_arrays(table.column(0).chunks) for table in self._list.tables() if table.num_rows
        )

    @cached_property
    def batches(self) -> list[IdBatch] | None:
        """What the id generator read together; None without one.

        Raises:
            InputError: it is of other files.
        """
        if self.id_generator_path is None:
            return None
        generator = IdGeneratorBase.from_disk(os.fspath(self.id_generator_path))
        return match_batches(generator, self.listing.files)

    def survey(self) -> tuple[Listing, Plan, Sequence[Unit]]:
        """List the input, read the list of ids and plan the pass; writes nothing.

        Raises:
            InputError: no input, or no list.
            ConfigurationError: no field of ids, or the output overlaps the input or the list.
        """
        refuse_overlap(self.output, [*self.inputs, self.ids_path])
        if self.checkpoint_path is not None:
            refuse_overlap(self.checkpoint_path, [*self.inputs, self.ids_path], "checkpoint_path")
        self._check_list()
        stages = self._stages()
        plan = plan_of("write", stages)
        groups = stages[0].partition() if self.batches is None else [_ranges(one) for one in self.batches]
        units = make_units(plan, groups)
        check_output_names((r for group in groups for r in group), self.format, self.compression)
        return self.listing, plan, units

    def run(
        self,
        executor: Executor | None = None,
        observer: Observer | None = None,
        watch: MemoryWatch | None = None,
        *,
        resume: Mode = "auto",
        take_over: bool = False,
    ) -> WorkflowRunResult:
        """Run the pass, or what an earlier run left undone of it.

        Args:
            executor: carries it out; local for inputs from 64 MiB on if None.
            observer: is told of progress.
            watch: samples memory, if the caller has one.
            resume: as :meth:`DeduplicationWorkflow.run`.
            take_over: likewise.

        Raises:
            GpucurateError: see its subclasses; each says what to do.
        """
        listing, plan, units = self.survey()
        executor = executor or default_executor(sum(unit.est_bytes for unit in units))
        decides = {"ids": self.ids.digest, "id_field": self.id_field, **plan.decides}
        wanted = Resume(resume, take_over)
        with RunFolder(self.output, NAME, decides, self.checkpoint_path, wanted) as folder:
            if folder.is_finished:
                Phase(folder, plan, units)  # refuses another input
                if folder.is_finished:
                    report = report_from_dict(folder.read_json("report.json"))
                    return WorkflowRunResult(self.output, folder.path, report, was_finished=True)
                folder.reopen()
            self.ids.save(self._table)
            with Run(NAME, executor, folder, observer, watch) as run:
                run.report.ignored = list(listing.ignored)
                run.report.warnings = list(listing.warnings)
                run.report.input_bytes = sum(file.size for file in listing.files)
                self._pass(run, folder, plan, units)
            folder.finish()
            return WorkflowRunResult(self.output, folder.path, run.report)

    def _pass(self, run: Run, folder: RunFolder, plan: Plan, units: Sequence[Unit]) -> None:
        outcome = run.phase(plan, self._stages(), units)
        if self.require_unique_ids:
            limits = ReadLimits(**self._read_kwargs)
            refuse_equal_ids(run, folder, units, outcome, field=self._field, limits=limits)
        report = run.report
        report.books = sum_books(outcome.results)
        report.warnings += self._notes(report.books.total_dropped, report.counts[WITHOUT_ID])
        run.number_rejects(plan.name, units, outcome.results)
        run.close_report(outcome.results)
        judge(report, self.max_reject_rate)

    def _notes(self, removed: int, without: int) -> list[str]:
        notes = []
        if not len(self.ids):
            notes.append(f"the list {os.fspath(self.ids_path)} holds no ids: nothing was removed")
        if removed < len(self.ids):
            strange = f"{len(self.ids) - removed:,} of {len(self.ids):,} ids to remove"
            notes.append(f"{strange} belong to no document of the input")
        if without:
            notes.append(f"{without:,} documents have no {self.id_field!r} and stay")
        return notes

    @cached_property
    def _list(self) -> IdList:
        return IdList(self.ids_path, self.duplicate_id_field)

    def _check_list(self) -> None:
        """Look for the list before anything is looked for in the input."""
        _ = self._list

    @property
    def _table(self) -> Path:
        return state_folder(self.output, self.checkpoint_path) / "scratch" / "ids.u64"

    def _stages(self) -> list[Any]:
        by_place = self.batches is not None
        fields = None if self._converts else () if by_place else [self._field.field]
        reader = DocumentReader(
            self.inputs,
            blocksize=self.blocksize,
            fields=fields,
            read_kwargs=self._read_kwargs,
            keep_original=not self._converts,
            piece_bytes=PIECE_BYTES,
        )
        reader.use_listing(self.listing)
        writer = DocumentWriter(self.output, format=self.format, compression=self.compression)
        ids = [DocumentIds(self._field)] if self.require_unique_ids else []
        return [reader, *ids, self._removal(), writer]

    def _removal(self) -> RemovalByField | RemovalByPlace:
        if self.batches is None:
            return RemovalByField(self._table, self.ids.digest, self._field)
        firsts, counts = [one.first_id for one in self.batches], [one.count for one in self.batches]
        return RemovalByPlace(self._table, self.ids.digest, firsts, counts)

    @cached_property
    def _field(self) -> ColumnPath:
        return find_column(self.listing, self.id_field, ReadLimits(**self._read_kwargs))

    @property
    def _converts(self) -> bool:
        return any(self.format not in (None, file.format) for file in self.listing.files)


def _ranges(batch: IdBatch) -> tuple[FileRange, ...]:
    """The files of a batch, each whole and in order."""
    (group,) = group_ranges(Listing(batch.files, ()), 1, files_per_partition=len(batch.files))
    return group
