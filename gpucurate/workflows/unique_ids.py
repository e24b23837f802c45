"""Whether an id that documents bring comes twice: by their hashes, on disk, as equal texts are found."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from gpucurate.backends.driver import Outcome
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.cluster_file import FileSpan
from gpucurate.dedup.column_values import texts_of
from gpucurate.dedup.components import Ids, find_components
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.memory_needed import ARRAYS_SHARE
from gpucurate.io.limits import ReadLimits
from gpucurate.pipeline.run import Run
from gpucurate.spec.errors import InputError
from gpucurate.spec.names import encode_name
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import Unit
from gpucurate.stages.deduplication.column_path import ColumnPath
from gpucurate.stages.deduplication.document_ids import ids_file_of
from gpucurate.workflows.examples import find_record, shorten
from gpucurate.workflows.found import record_bases, record_spans


def refuse_equal_ids(
    run: Run,
    folder: RunFolder,
    units: Sequence[Unit],
    outcome: Outcome,
    *,
    field: ColumnPath,
    limits: ReadLimits,
) -> None:
    """Refuse input in which an id comes twice; ids are compared by 128 bits of hash.

    It takes 4 bytes of memory a record, and sorts within the memory of the run. The pair that is named is
    that of the first document whose id an earlier one has, whatever the number of workers.

    Args:
        run: tells how much memory there is, and how long it took.
        folder: holds the files of ids.
        units: of the pass that noted them.
        outcome: of that pass.
        field: where the id stands.
        limits: as the documents were read.

    Raises:
        InputError: an id comes twice; the message names it and both places.
        ConfigurationError: the memory is too small.
    """
    began = time.monotonic()
    files = {result.unit_id: folder.final_path(ids_file_of(result).name) for result in outcome.results}
    keys = KeySet([files.get(unit.id) for unit in units], record_bases(units, outcome))
    firsts = find_components(
        keys,
        2,
        wide=True,
        memory=run.executor.memory,
        threads=1,
        scratch=folder.writable("scratch/equal-ids"),
        share=ARRAYS_SHARE,
    )
    run.timed("ids", time.monotonic() - began)
    _refuse_repeated(firsts, _Places(units, outcome, field, limits))


def _refuse_repeated(firsts: Ids, places: _Places) -> None:
    """Refuse where a record is not the first one with its id (uint32[records])."""
    repeats = firsts != np.arange(len(firsts), dtype=np.uint32)
    count = int(np.count_nonzero(repeats))
    if not count:
        return
    record = int(np.argmax(repeats))
    more = "one document has" if count == 1 else f"{count:,} documents have"
    raise InputError(
        f"{places.field} {places.id_of(record)} comes twice: in {places.name(int(firsts[record]))} and in "
        f"{places.name(record)}. In all, {more} an id that an earlier one has, and unique ids are required "
        "(--require-unique-ids): make them unique, or leave that out"
    )


class _Places:
    """Where records stand, for a message.

    Args:
        units: of the pass over all records.
        outcome: of that pass.
        field: where the id stands.
        limits: as the documents were read.
    """

    def __init__(
        self, units: Sequence[Unit], outcome: Outcome, field: ColumnPath, limits: ReadLimits
    ) -> None:
        self.field = field
        self._limits = limits
        self._spans, self._ranges = record_spans(units, outcome)
        self._bases = [span.first_id for span in self._spans]

    def name(self, record: int) -> str:
        """File, and line or row, counted as rejects are: lines from 1, rows of Parquet from 0."""
        span, source, at = self._locate(record)
        name = encode_name(source.file.name)
        if span.first_row is None:  # a part of the file before it could not be read
            return f"{name} (record {at} of the part from byte {source.start:,} on)"
        row = span.first_row + at
        return f"{name} (row {row:,})" if source.file.format == "parquet" else f"{name} (line {row + 1:,})"

    def id_of(self, record: int) -> str:
        """The id that a document brings, as Python writes a string."""
        _, source, at = self._locate(record)
        row = find_record(source, at, self.field.field, self._limits)
        return "" if row is None else repr(shorten(texts_of(self.field.of(row))[0] or ""))

    def _locate(self, record: int) -> tuple[FileSpan, FileRange, int]:
        index = bisect_right(self._bases, record) - 1  # of those that begin there the last; others are empty
        return self._spans[index], self._ranges[index], record - self._bases[index]
