"""Deduplication of the lines or paragraphs of documents.

1. ``keys``: read the text, split it, write the hashes of its segments to one file a unit.
2. ``group``: equal hashes to groups, named by their first occurrence.
3. ``marks``: which occurrences go, and which segments were the most frequent.
4. ``write``: copy the documents without what goes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np

from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.components import find_components, plan_budget
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.memory_needed import ARRAYS_SHARE, refuse_more
from gpucurate.dedup.segment_marks import SegmentMarks
from gpucurate.dedup.segment_places import SegmentPlaces
from gpucurate.dedup.segment_policy import CutPolicy, most_frequent
from gpucurate.dedup.segmentation import Segmentation
from gpucurate.ops.grouping import MAX_DOCUMENTS
from gpucurate.ops.segments import Grain
from gpucurate.ops.survivors import count_members
from gpucurate.pipeline.run import Run
from gpucurate.pipeline.verdict import judge
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Plan
from gpucurate.spec.unit import Unit
from gpucurate.stages.deduplication.keys import key_file_of
from gpucurate.stages.deduplication.segment_removal import BYTES, CHANGED, EMPTIED, SegmentRemoval
from gpucurate.stages.deduplication.segments import COMPARED, SEEN
from gpucurate.telemetry.report import sum_books
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.fitting import Amounts
from gpucurate.workflows.found import Found
from gpucurate.workflows.segment_options import SegmentSettings, segment_settings
from gpucurate.workflows.segment_passes import SegmentPasses
from gpucurate.workflows.segment_texts import SegmentTexts

SHOWN_SEGMENTS = 5
MARKING = 8
"""Bytes a segment: the first occurrence of each, and how many there are."""

DROPPED = "empty after cuts"


class SegmentDeduplicationWorkflow(DeduplicationWorkflow):
    """Cuts lines or paragraphs that occur before out of the text of documents.

    Args:
        grain: ``line`` or ``paragraph``.
        input_path: files, folders, globs or URLs.
        output_path: folder of the output.
        settings: what is compared and what is cut of it.

    Raises:
        ConfigurationError: settings that are not possible.
    """

    def __init__(
        self,
        grain: Grain,
        input_path: str | PathLike[str] | Sequence[str | PathLike[str]],
        output_path: str | PathLike[str],
        settings: SegmentSettings,
    ) -> None:
        self.settings = settings
        self.segmentation: Segmentation = settings.segmentation(grain)
        super().__init__(f"dedup {grain}s", input_path, output_path, self.segmentation, settings.options)

    @cached_property
    def passes(self) -> SegmentPasses:
        """What makes the stages of each pass."""
        return SegmentPasses(self.inputs, self.listing, self.output, self.segmentation, self.settings)

    @property
    def _artefacts(self) -> tuple[str, ...]:
        return ()  # cuts are in the manifest

    def _decides(self, plan: Plan) -> dict[str, Any]:
        return {**super()._decides(plan), **self.settings.decides()}

    def _phases(self, run: Run, folder: RunFolder, plan: Plan, units: Sequence[Unit]) -> None:
        found = self._first_pass(run, folder, plan, units)
        segments = segments_of(found)
        marks = SegmentMarks(folder.writable("scratch/segments"))
        run.report.details["segments"] = self._mark(run, folder, found, segments, marks)
        units_again, written = self._last_pass(run, found, self.passes.write(marks.folder))
        done = {result.unit_id for result in written.results}
        lost = [unit.index for unit in units_again if unit.id not in done]
        books, books_after = run.report.books, sum_books(written.results)
        books.kept = books_after.kept
        if not self.options.annotate and self.settings.drop_empty:
            books.dropped[DROPPED] = books_after.dropped[SegmentRemoval.name]
        books.quarantined += documents_of(found, lost)
        for name in (BYTES, CHANGED, EMPTIED):
            run.report.details["segments"][name.replace(" ", "_")] = run.report.counts[name]
        run.close_report(written.results)
        judge(run.report, self.options.max_reject_rate)

    def _amounts(self, run: Run, found: Found) -> Amounts:
        grain, memory = self.segmentation.grain, run.executor.memory

        def refuse(count: int) -> None:
            refuse_more(
                f"marking {count:,} {grain}s takes {MARKING} bytes each",
                MARKING * count,
                memory,
                ARRAYS_SHARE,
            )
            if count >= MAX_DOCUMENTS:
                raise ConfigurationError(_too_many(count))
            if self.options.on_infeasible == "fail":
                return  # grouping says no by itself, with exact numbers
            words = 2 if self.segmentation.wide else 1
            plan_budget(count, count, words, memory, 1, share=ARRAYS_SHARE)

        return Amounts(f"{grain}s", segment_counts(found), refuse)

    def _mark(
        self, run: Run, folder: RunFolder, found: Found, segments: KeySet, marks: SegmentMarks
    ) -> dict[str, Any]:
        """Group segments and mark those that go; figures for the report."""
        began = time.monotonic()
        labels = find_components(
            segments,
            self.segmentation.bands,
            wide=self.segmentation.wide,
            memory=run.executor.memory,
            threads=run.executor.workers,
            scratch=folder.writable("scratch/group"),
            share=ARRAYS_SHARE,
            saved=found.forest,
        )
        sizes = count_members(labels)
        run.timed("group", time.monotonic() - began)
        began = time.monotonic()
        policy = self.settings.policy
        with_labels = self.settings.list_cuts
        count = marks.write(segments.bases, labels, sizes, policy, with_labels=with_labels)
        if with_labels:
            SegmentPlaces(marks.folder).write(segments, found.keys.bases, found.spans)
        figures = {
            "seen": run.report.counts[SEEN],
            "compared": run.report.counts[COMPARED],
            "distinct": int(np.count_nonzero(sizes)),
            "cut": count,
            "most_frequent": self._most_frequent(found, segments, sizes, policy),
        }
        run.timed("marks", time.monotonic() - began)
        return figures

    def _most_frequent(
        self, found: Found, segments: KeySet, sizes: Any, policy: CutPolicy
    ) -> list[dict[str, Any]]:
        limits = self.passes.reader([self.options.text_field], keep_original=False).limits
        texts = SegmentTexts(found, segments, self.segmentation, self.options.text_field, limits)
        shown = most_frequent(sizes, SHOWN_SEGMENTS, policy.min_count)
        hidden = set() if self.options.log_text else {"text"}
        return [
            {"count": int(sizes[segment])} | {k: v for k, v in texts.of(segment).items() if k not in hidden}
            for segment in shown
        ]


class LineDeduplicationWorkflow(SegmentDeduplicationWorkflow):
    """Keeps the first occurrence of each line, and cuts the later ones out of their documents.

    Args:
        input_path: files, folders, globs or URLs.
        output_path: folder of the output.
        settings: the fields of :class:`~gpucurate.workflows.segment_options.SegmentSettings`.

    >>> LineDeduplicationWorkflow("pages/", "cleaned/", min_count=3).run().report.details["segments"]
    """

    def __init__(
        self,
        input_path: str | PathLike[str] | Sequence[str | PathLike[str]],
        output_path: str | PathLike[str],
        **settings: Any,
    ) -> None:
        super().__init__("line", input_path, output_path, segment_settings(settings))


class ParagraphDeduplicationWorkflow(SegmentDeduplicationWorkflow):
    """As :class:`LineDeduplicationWorkflow`, of paragraphs: lines without a blank one between them.

    >>> ParagraphDeduplicationWorkflow("pages/", "cleaned/", keep="none", min_count=10).run()
    """

    def __init__(
        self,
        input_path: str | PathLike[str] | Sequence[str | PathLike[str]],
        output_path: str | PathLike[str],
        **settings: Any,
    ) -> None:
        super().__init__("paragraph", input_path, output_path, segment_settings(settings))


def segments_of(found: Found) -> KeySet:
    """The key files of the first pass, by segments rather than records.

    Raises:
        ConfigurationError: 2^32 segments or more.
    """
    counts = segment_counts(found)
    bases = np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64)
    if bases[-1] >= MAX_DOCUMENTS:
        raise ConfigurationError(_too_many(bases[-1]))
    return KeySet(found.keys.paths, bases)


def segment_counts(found: Found) -> list[int]:
    """Segments of each unit of the first pass; 0 of one that could not be read."""
    rows = {result.unit_id: key_file_of(result).rows for result in found.outcome.results}
    return [rows.get(unit.id, 0) for unit in found.units]


def _too_many(count: int) -> str:
    return (
        f"{count:,} segments are to be compared, but fewer than {MAX_DOCUMENTS:,} can be at a time: "
        "raise the least length (min_length), or deduplicate parts of the corpus one after the other"
    )


def documents_of(found: Found, indices: Sequence[int]) -> int:
    """Documents that the first pass accepted in some units."""
    ids = {found.units[index].id for index in indices}
    books = [result.books for result in found.outcome.results if result.unit_id in ids]
    return sum(one.read - one.total_rejected for one in books)
